import { expect } from "vitest";
import type { LockHold, Store } from "../../../src/core/store.js";
import type { TcpProxy } from "../../servers/index.js";
import { failureOf } from "./calls.js";

/** Reads and writes on connections that fall silent end in time, and the next connections serve. */
export async function endsCallsInTime(store: Store, proxy: TcpProxy): Promise<void> {
  await store.put("k", "1");
  proxy.stall();
  const startedAt = performance.now();
  const [read, write] = await Promise.all([
    failureOf(store.get("k", { timeoutMs: 1_200 })),
    failureOf(store.put("w", "1", { timeoutMs: 1_200 })),
  ]);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(["TIMEOUT", "UNREACHABLE"]).toContain(read.code);
  expect(write.outcome).toBe("unknown");
  proxy.resume();
  expect((await store.get("k", { timeoutMs: 10_000 }))?.text()).toBe("1");
}

/**
 * A holder whose connections fall silent is told before another holds, and the token grows. Gives both holds: the lost
 * one, and the other's.
 */
export async function toldBeforeAnotherHolds(
  cutOff: Store,
  other: Store,
  silence: () => void,
): Promise<{ first: LockHold; second: LockHold }> {
  const first = await cutOff.newLock("lock", { ttlMs: 3_000 }).lock();
  const order: string[] = [];
  first.signal.addEventListener("abort", () => order.push("told"));
  const waiting = other
    .newLock("lock", { ttlMs: 3_000 })
    .lock()
    .then((hold) => {
      order.push("next holds");
      expect(first.held).toBe(false);
      return hold;
    });
  silence();
  const second = await waiting;
  expect(order).toEqual(["told", "next holds"]);
  expect(second.token).toBeGreaterThan(first.token);
  expect(second.held).toBe(true);
  return { first, second };
}
