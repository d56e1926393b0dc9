import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { isStoreError } from "../../core/errors.js";
import type { LockHold, Store } from "../../core/store.js";
import { rejection } from "../assertions.js";
import type { CaseContext, CaseGroup } from "../case.js";
import { type AnyCall, everyCall, forEachCall } from "./calls.js";

/** Gives back what a call of `lock` took. */
async function release(result: unknown): Promise<void> {
  if (typeof result === "object" && result !== null && "unlock" in result) await (result as LockHold).unlock();
}

/** What a call may reject with after an abort, whenever it came. */
function isAbortOf(error: unknown, reason: unknown, call: AnyCall): boolean {
  if (error === reason) return true;
  return call.writes && isStoreError(error, "ABORTED") && error.outcome === "unknown" && error.cause === reason;
}

function abortedBefore(call: AnyCall) {
  return async ({ store, within }: CaseContext): Promise<void> => {
    const reason = new Error("the caller's own reason");
    const signal = AbortSignal.abort(reason);
    assert.equal(
      await within(
        rejection(() => call.run(store, "k", { signal })),
        call.name,
      ),
      reason,
    );
    assert.equal(await store.exists("k"), false, "an aborted call was carried out");
    assert.equal(getEventListeners(signal, "abort").length, 0);
  };
}

function abortedMeanwhile(call: AnyCall) {
  return async ({ store, within }: CaseContext): Promise<void> => {
    const reason = new Error("the caller's own reason");
    const controller = new AbortController();
    const settled = call.run(store, "k", { signal: controller.signal }).then(release, (error: unknown) => {
      const conflict = call.name === "atomicDelete" && isStoreError(error, "KEY_MODIFIED");
      assert.ok(conflict || isAbortOf(error, reason, call), `${call.name} rejects with ${String(error)}`);
    });
    controller.abort(reason);
    await within(settled, `${call.name} after an abort`);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0, "a listener is left on the signal");
    if (call.name.toLowerCase().endsWith("lock")) {
      const next = await store.newLock("k").tryLock();
      assert.ok(next !== undefined, "the aborted call holds the lock");
      await next.unlock();
    }
    await stillWorks(store);
  };
}

async function stillWorks(store: Store): Promise<void> {
  await store.put("afterwards", "1");
  assert.equal((await store.get("afterwards"))?.text(), "1");
}

/** What every call does with its `signal`. */
export const aborted: CaseGroup = {
  name: "abort",
  cases: {
    ...forEachCall(everyCall, ({ name }) => `${name} rejects with the reason of an aborted signal`, abortedBefore),
    ...forEachCall(everyCall, ({ name }) => `${name} settles when aborted at once`, abortedMeanwhile),
    "no listener is left on a signal when its calls have settled": async ({ store }) => {
      const { signal } = new AbortController();
      for (const call of everyCall) {
        const result = await call.run(store, `listeners/${call.name}`, { signal }).catch(() => undefined);
        await release(result);
        assert.equal(getEventListeners(signal, "abort").length, 0, `${call.name} leaves a listener`);
      }
    },
    "many calls share one listener and cause no warning": async ({ store }) => {
      const warnings: Error[] = [];
      const onWarning = (warning: Error): void => void warnings.push(warning);
      process.on("warning", onWarning);
      try {
        const controller = new AbortController();
        const { signal } = controller;
        const watches = Array.from({ length: 30 }, (_, at) =>
          store.watch(`k/${at}`, { signal })[Symbol.asyncIterator](),
        );
        await Promise.all(watches.map((each) => each.next()));
        const calls = Array.from({ length: 30 }, (_, at) => [
          store.put(`k/${at}`, "1", { signal }),
          store.get(`k/${at}`, { signal }),
        ]).flat();
        const listeners = getEventListeners(signal, "abort").length;
        assert.ok(listeners <= 1, `${listeners} listeners on one signal`);
        await Promise.all(calls);
        await Promise.all(watches.map(async (each) => each.return?.()));
        assert.equal(getEventListeners(signal, "abort").length, 0);
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(warnings, []);
      } finally {
        process.off("warning", onWarning);
      }
    },
    "one signal ends many calls": async ({ store, within }) => {
      const controller = new AbortController();
      const reason = new Error("the caller's own reason");
      const hold = await store.newLock("lock").lock();
      const waiting = Array.from({ length: 5 }, () =>
        rejection(() => store.newLock("lock").lock({ signal: controller.signal })),
      );
      const watches = Array.from({ length: 5 }, () =>
        rejection(async () => {
          for await (const _state of store.watch("k", { signal: controller.signal }));
        }),
      );
      await store.ping();
      controller.abort(reason);
      for (const error of await within(Promise.all([...waiting, ...watches]), "every call to end")) {
        assert.equal(error, reason);
      }
      await hold.unlock();
    },
    "a later abort means nothing to a call that is done": async ({ store }) => {
      const controller = new AbortController();
      await store.put("k", "1", { signal: controller.signal });
      const hold = await store.newLock("lock").lock({ signal: controller.signal });
      controller.abort();
      assert.equal(hold.held, true, "the signal of lock() ends the wait, not the hold");
      await hold.unlock();
      assert.equal((await store.get("k"))?.text(), "1");
    },
  },
};
