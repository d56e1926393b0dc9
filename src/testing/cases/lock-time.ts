import assert from "node:assert/strict";
import { hasText, isSettled } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { passInSteps } from "../steps.js";

export const lockTime: CaseGroup = {
  name: "locks and time",
  waits: true,
  cases: {
    "a hold outlives its ttl many times while its holder lives": async (context) => {
      const { store, another, timing, within } = context;
      const other = await another();
      const hold = await store.newLock("k", { value: "me", ttlMs: timing.ttlMs }).lock();
      const waiting = other.newLock("k", { ttlMs: timing.ttlMs }).lock();
      await passInSteps(context, hold.ttlMs * 3.5);
      assert.equal(hold.held, true);
      assert.equal(hold.signal.aborted, false);
      assert.equal(await isSettled(waiting), false, "two hold the lock");
      hasText(await other.get("k"), "me");
      await hold.unlock();
      await (await within(waiting, "the waiter to get the lock")).unlock();
    },
    "a waiter outlives its ttl many times": async (context) => {
      const { store, another, timing, within } = context;
      const other = await another();
      const hold = await store.newLock("k", { ttlMs: timing.ttlMs }).lock();
      const waiting = other.newLock("k", { value: "waiter", ttlMs: timing.ttlMs }).lock();
      await passInSteps(context, hold.ttlMs * 3.5);
      await hold.unlock();
      const next = await within(waiting, "the waiter to get the lock");
      assert.equal(next.held, true);
      hasText(await store.get("k"), "waiter");
      await next.unlock();
    },
    "nothing is left to expire after an unlock": async (context) => {
      const { store, timing } = context;
      const hold = await store.newLock("k", { ttlMs: timing.ttlMs }).lock();
      await hold.unlock();
      await store.put("k", "plain");
      await passInSteps(context, hold.ttlMs * 2);
      hasText(await store.get("k"), "plain");
      assert.equal(hold.signal.aborted, false);
    },
  },
};
