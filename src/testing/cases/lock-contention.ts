import assert from "node:assert/strict";
import { hasText, isSettled, rejection, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const lockContention: CaseGroup = {
  name: "contention for a lock",
  cases: {
    "a second contender waits for the unlock": async ({ store, another, within }) => {
      const other = await another();
      const hold = await store.newLock("k", { value: "first" }).lock();
      const waiting = other.newLock("k", { value: "second" }).lock();
      for (let round = 0; round < 3; round++) {
        await other.ping();
        assert.equal(await isSettled(waiting), false, "two hold the lock");
        hasText(await other.get("k"), "first");
      }
      await hold.unlock();
      const second = await within(waiting, "the second contender to get the lock");
      assert.equal(second.held, true);
      hasText(await store.get("k"), "second");
      await second.unlock();
      assert.equal(await store.get("k"), undefined);
    },
    "two objects of one store exclude each other": async ({ store, within }) => {
      const hold = await store.newLock("k").lock();
      const waiting = store.newLock("k").lock();
      await store.ping();
      assert.equal(await isSettled(waiting), false, "two hold the lock");
      await hold.unlock();
      await (await within(waiting, "the second object to get the lock")).unlock();
    },
    "never two at once": async ({ store, another, within }) => {
      const stores = [store, await another(), await another()];
      const tokens: bigint[] = [];
      let inside = 0;
      const worker = async (at: number): Promise<void> => {
        const lock = stores[at % 3]!.newLock("k", { value: `${at}` });
        for (let round = 0; round < 3; round++) {
          const hold = await lock.lock();
          assert.equal(++inside, 1, "two are inside");
          tokens.push(hold.token);
          await stores[at % 3]!.ping();
          assert.equal(inside--, 1, "two were inside");
          await hold.unlock();
        }
      };
      await within(Promise.all([0, 1, 2, 3, 4, 5].map(worker)), "all workers to have had their turns", 10_000);
      assert.equal(tokens.length, 18);
      for (let at = 1; at < tokens.length; at++)
        assert.ok(tokens[at]! > tokens[at - 1]!, `${tokens[at]} after ${tokens[at - 1]}`);
      assert.deepEqual(await store.keys(""), []);
    },
    "waiters are served in order where the capabilities say so": async ({ store, another, capabilities, within }) => {
      const stores = [await another(), await another(), await another()];
      const hold = await store.newLock("k").lock();
      const served: number[] = [];
      const waiting: Promise<void>[] = [];
      for (const [at, each] of stores.entries()) {
        waiting.push(
          each
            .newLock("k")
            .lock()
            .then(async (next) => {
              served.push(at);
              await next.unlock();
            }),
        );
        // Nothing tells when a contender stands in the queue: a pause gives it the time.
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await hold.unlock();
      await within(Promise.all(waiting), "every waiter to be served");
      if (capabilities.lock.fair) assert.deepEqual(served, [0, 1, 2]);
      else
        assert.deepEqual(
          served.toSorted((left, right) => left - right),
          [0, 1, 2],
        );
    },
    "a wait that times out leaves nothing behind": async ({ store, another, within, timing }) => {
      const other = await another();
      const hold = await store.newLock("k", { value: "me" }).lock();
      const lock = other.newLock("k", { value: "late" });
      const late = rejects(() => lock.lock({ timeoutMs: 50 }), { code: "TIMEOUT", key: "k" });
      await timing.advance?.(60);
      await within(late, "the timeout of a lock wait");
      hasText(await store.get("k"), "me");
      await hold.unlock();
      assert.equal(await store.get("k"), undefined);
      const next = (await store.newLock("k").tryLock())!;
      assert.ok(next !== undefined, "the contender that gave up still stands in the way");
      await next.unlock();
      await (await within(lock.lock(), "the same object to lock after its timeout")).unlock();
    },
    "a wait that is aborted leaves nothing behind": async ({ store, another, within }) => {
      const other = await another();
      const controller = new AbortController();
      const reason = new Error("the caller's own reason");
      const hold = await store.newLock("k", { value: "me" }).lock();
      const lock = other.newLock("k", { value: "late" });
      const waiting = within(
        rejection(() => lock.lock({ signal: controller.signal })),
        "the abort of a lock wait",
      );
      await other.ping();
      controller.abort(reason);
      assert.equal(await waiting, reason);
      await hold.unlock();
      const next = (await store.newLock("k").tryLock())!;
      assert.ok(next !== undefined, "the contender that gave up still stands in the way");
      await next.unlock();
      assert.equal(await store.get("k"), undefined);
    },
    "a waiter behind one that gave up is served": async ({ store, another, within }) => {
      const [second, third] = [await another(), await another()];
      const controller = new AbortController();
      const hold = await store.newLock("k").lock();
      const aborted = rejection(() => second.newLock("k").lock({ signal: controller.signal }));
      await second.ping();
      const waiting = third.newLock("k").lock();
      await third.ping();
      controller.abort();
      await within(aborted, "the abort of a lock wait");
      assert.equal(await isSettled(waiting), false, "two hold the lock");
      await hold.unlock();
      await (await within(waiting, "the last waiter to get the lock")).unlock();
    },
    "close() frees it for others, at once": async ({ store, another, within }) => {
      const holder = await another();
      const hold = await holder.newLock("k", { value: "holder" }).lock();
      const waiting = store.newLock("k", { value: "waiter" }).lock();
      await store.ping();
      await holder.close();
      assert.equal(hold.held, false);
      const next = await within(waiting, "the waiter to get the lock of a closed store");
      assert.ok(next.token > hold.token);
      hasText(await store.get("k"), "waiter");
      await next.unlock();
    },
    "close() ends a wait for it": async ({ store, another, within }) => {
      const waiter = await another();
      const hold = await store.newLock("k").lock();
      const waiting = rejects(() => waiter.newLock("k").lock(), "CLOSED");
      await waiter.ping();
      await waiter.close();
      await within(waiting, "the end of the wait");
      await hold.unlock();
      const next = await store.newLock("k").tryLock();
      assert.ok(next !== undefined, "the closed store's contender still stands in the way");
      await next.unlock();
    },
  },
};
