import assert from "node:assert/strict";
import type { StateChange, Store } from "../../core/store.js";
import { hasText, isSettled, rejection, rejects } from "../assertions.js";
import type { CaseContext, CaseGroup } from "../case.js";
import { nextItem, passInSteps } from "../steps.js";
import { everyCall, forEachCall } from "./calls.js";

/** Cuts the connection and waits until the store has noticed. */
async function suspendAndNotice({ suspend, within }: CaseContext, store: Store): Promise<void> {
  const noticed = stateOf(store, "suspended");
  await suspend();
  // A store may notice only when it tries.
  const trying = new AbortController();
  const tried = store.ping({ signal: trying.signal }).catch(() => undefined);
  await within(noticed, "the store to notice that it is cut off");
  trying.abort();
  await tried;
}

async function resumeAndNotice({ resume, within }: CaseContext, store: Store): Promise<void> {
  const noticed = stateOf(store, "connected");
  await resume();
  await within(noticed, "the store to be connected again");
}

function stateOf(store: Store, state: StateChange["state"]): Promise<void> {
  if (store.state === state) return Promise.resolve();
  return new Promise((resolve) => {
    const unsubscribe = store.onStateChange((change) => {
      if (change.state !== state) return;
      unsubscribe();
      resolve();
    });
  });
}

/** What every call does while the server cannot be reached, and what goes on afterwards. */
export const suspended: CaseGroup = {
  name: "suspended store",
  needs: "suspend",
  waits: true,
  cases: {
    ...forEachCall(
      everyCall.filter((call) => call.timed && !call.name.toLowerCase().endsWith("lock")),
      ({ name }) => `${name} waits for its timeout and is UNREACHABLE`,
      (call) => async (context) => {
        const { store, timing, within } = context;
        await suspendAndNotice(context, store);
        const startedAt = performance.now();
        const late = rejects(() => call.run(store, "k", { timeoutMs: 100 }), "UNREACHABLE");
        await timing.advance?.(110);
        const error = await within(late, `${call.name} to reject`);
        assert.equal(error.outcome, call.writes ? "not-applied" : undefined);
        if (timing.advance === undefined) assert.ok(performance.now() - startedAt >= 98, "it did not wait");
        await context.resume();
      },
    ),
    ...forEachCall(
      everyCall,
      ({ name }) => `${name} can be aborted while it waits`,
      (call) => async (context) => {
        const { store, within } = context;
        await suspendAndNotice(context, store);
        const controller = new AbortController();
        const reason = new Error("the caller's own reason");
        const pending = rejection(() => call.run(store, "k", { signal: controller.signal }));
        assert.equal(await isSettled(pending), false, "it does not wait");
        controller.abort(reason);
        assert.equal(await within(pending, `${call.name} to be aborted`), reason);
        await context.resume();
      },
    ),
    "tells of the loss and of the return": async (context) => {
      const { store } = context;
      const changes: StateChange[] = [];
      const unsubscribe = store.onStateChange((change) => changes.push(change));
      await suspendAndNotice(context, store);
      assert.equal(store.state, "suspended");
      await resumeAndNotice(context, store);
      assert.equal(store.state, "connected");
      unsubscribe();
      assert.deepEqual(
        changes.map(({ previous, state }) => `${previous} ${state}`),
        ["connected suspended", "suspended connected"],
      );
      assert.equal(changes[0]!.reason?.code, "UNREACHABLE");
    },
    "calls that wait go out when the connection is back": async (context) => {
      const { store, within } = context;
      await store.put("k", "1");
      await suspendAndNotice(context, store);
      const read = store.get("k", { timeoutMs: 30_000 });
      const written = store.put("new", "2", { timeoutMs: 30_000 });
      const listed = store.list("", { timeoutMs: 30_000 });
      const deleted = store.deleteTree("absent", { timeoutMs: 30_000 });
      const locked = store.newLock("lock").lock();
      assert.equal(await isSettled(read), false);
      await resumeAndNotice(context, store);
      hasText(await within(read, "the waiting read"), "1");
      await within(written, "the waiting write");
      assert.ok((await within(listed, "the waiting list")).length > 0);
      assert.equal(await within(deleted, "the waiting deleteTree"), 0);
      await (await within(locked, "the waiting lock")).unlock();
      hasText(await store.get("new"), "2");
    },
    "a watch goes on afterwards, without a gap and without a repeat": async (context) => {
      const { store } = context;
      await store.put("d/k", "1");
      const watching = store.watch("d/k")[Symbol.asyncIterator]();
      const tree = store.watchTree("d")[Symbol.asyncIterator]();
      hasText(await nextItem(context, watching, "the first state"), "1");
      await nextItem(context, tree, "the whole tree");
      await suspendAndNotice(context, store);
      await resumeAndNotice(context, store);
      await store.put("d/k", "2");
      hasText(await nextItem(context, watching, "the write after the outage"), "2");
      const { changes, pairs } = await nextItem(context, tree, "the write after the outage");
      assert.deepEqual(
        changes.map((change) => `${change.key} ${change.previous?.text()}`),
        ["d/k 1"],
      );
      assert.equal(pairs.length, 1);
      await watching.return?.();
      await tree.return?.();
    },
    "a watch begun meanwhile starts afterwards": async (context) => {
      const { store, within } = context;
      await store.put("k", "1");
      await suspendAndNotice(context, store);
      const watching = store.watch("k")[Symbol.asyncIterator]();
      const first = watching.next();
      assert.equal(await isSettled(first), false);
      await resumeAndNotice(context, store);
      hasText((await within(first, "the first state")).value, "1");
      await watching.return?.();
    },
    "a lock is lost when its ttl has passed, and can be taken again": async (context) => {
      const { store, timing, within } = context;
      const lock = store.newLock("k", { ttlMs: timing.ttlMs });
      const hold = await lock.lock();
      const lost = new Promise<unknown>((resolve) => {
        hold.signal.addEventListener("abort", () => resolve(hold.signal.reason), { once: true });
      });
      // It has been renewed at least once before, so that the deadline is seen to follow the last renewal.
      await passInSteps(context, hold.ttlMs);
      assert.equal(hold.held, true);
      await suspendAndNotice(context, store);
      await passInSteps(context, hold.ttlMs);
      const reason = await within(lost, "the loss of the lock to be told");
      await rejects(() => Promise.reject(reason), { code: "LOCK_LOST", key: "k" });
      assert.equal(hold.held, false);
      await hold[Symbol.asyncDispose]();
      await resumeAndNotice(context, store);
      const again = await within(lock.lock(), "the lock to be taken again", hold.ttlMs * 2);
      assert.ok(again.token > hold.token);
      await rejects(() => hold.unlock(), "LOCK_LOST");
      assert.equal(again.held, true);
      await again.unlock();
    },
    "a lock survives a short outage": async (context) => {
      const { store } = context;
      const hold = await store.newLock("k", { value: "me", ttlMs: 30_000 }).lock();
      await suspendAndNotice(context, store);
      await resumeAndNotice(context, store);
      assert.equal(hold.held, true);
      assert.equal(hold.signal.aborted, false);
      hasText(await store.get("k"), "me");
      await hold.unlock();
    },
    "close() works meanwhile": async (context) => {
      const { another, within } = context;
      const store = await another();
      await suspendAndNotice(context, store);
      const pending = rejects(() => store.get("k", { timeoutMs: 30_000 }), "CLOSED");
      await within(store.close(), "close()");
      await within(pending, "the pending call");
      assert.equal(store.state, "closed");
      await context.resume();
    },
  },
};
