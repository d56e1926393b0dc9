import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import type { Store } from "../../../src/core/store.js";
import { itemsUntil } from "./calls.js";

/** Writes 1, 2, 3, ... to a key, one after the other, until told to stop; gives the last that was acknowledged. */
function writeOn(store: Store, key: string) {
  const state = { over: false, acknowledged: 0 };
  const done = (async () => {
    for (let n = 1; !state.over; n++) {
      try {
        await store.put(key, String(n), { timeoutMs: 3_000 });
        state.acknowledged = n;
      } catch (error) {
        if (!isStoreError(error)) throw error;
      }
    }
  })();
  return { state, done };
}

/** Writes and watches while a member fails; both go on, nothing acknowledged is lost, and the lock stays. */
export async function goesOn(
  store: Store,
  fail: () => Promise<unknown>,
  { lockTtlMs, withinMs = 30_000 }: { lockTtlMs: number; withinMs?: number },
): Promise<void> {
  const hold = await store.newLock("lock", { ttlMs: lockTtlMs }).lock();
  const watching = store.watch("n")[Symbol.asyncIterator]();
  await watching.next();
  const { state, done } = writeOn(store, "n");
  await expect.poll(() => state.acknowledged, { timeout: 10_000 }).toBeGreaterThan(20);
  await fail();
  const before = state.acknowledged;
  await expect.poll(() => state.acknowledged, { timeout: withinMs }).toBeGreaterThan(before + 20);
  state.over = true;
  await done;
  const last = await store.get("n");
  expect(Number(last?.text())).toBeGreaterThanOrEqual(state.acknowledged);
  const seen = await itemsUntil(watching, (pair) => pair?.revision === last?.revision);
  const revisions = seen.map((pair) => pair!.revision);
  expect(revisions).toEqual([...revisions].sort((a, b) => (a < b ? -1 : 1)));
  expect(hold.held).toBe(true);
  await hold.unlock();
  await watching.return?.();
}
