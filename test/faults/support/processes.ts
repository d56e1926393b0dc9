import { expect } from "vitest";
import type { LockHold, Store } from "../../../src/core/store.js";
import { restOf, runChild } from "./run-child.js";

const ttlMs = 2_000;

/**
 * A holder whose process is stopped until another holds, and for twice its ttl at least, knows at its first reading. Gives
 * the other's hold, which is still good when the first has ended.
 */
export async function knowsAfterStop(url: string, other: Store): Promise<LockHold> {
  const holder = runChild("hold-child.ts", url, String(ttlMs));
  const token = BigInt(String((await holder.lines.next()).value).split(" ")[1]!);
  const stoppedAt = performance.now();
  holder.process.kill("SIGSTOP");
  const hold = await other.newLock("lock").lock();
  expect(hold.token).toBeGreaterThan(token);
  await new Promise((resolve) => setTimeout(resolve, Math.max(2 * ttlMs - (performance.now() - stoppedAt), 0)));
  holder.process.kill("SIGCONT");
  expect(await restOf(holder.lines)).toEqual(["not held", "signalled"]);
  await holder.ended;
  expect(holder.process.exitCode).toBe(0);
  // What the stopped holder gave back was nothing of the new one's.
  expect(hold.held).toBe(true);
  return hold;
}

/** A process that closes its store with everything in flight: all of it settles, and the process ends by itself. */
export async function endsWithEverythingInFlight(url: string): Promise<void> {
  const child = runChild("close-child.ts", url);
  const watchdog = setTimeout(() => child.process.kill("SIGKILL"), 30_000);
  const printed = await restOf(child.lines);
  const printedAt = performance.now();
  await child.ended;
  clearTimeout(watchdog);
  expect([child.process.exitCode, child.process.signalCode]).toEqual([0, null]);
  expect(performance.now() - printedAt).toBeLessThan(3_000);
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatch(/^closed (ABORTED |CLOSED |done )*/);
  expect(printed[0]).toContain("CLOSED");
}
