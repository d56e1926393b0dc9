import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { createCounter } from "../../../src/recipes/index.js";
import { Child } from "../store/support.js";
import { onBackends } from "./running-backend.js";

const processes = 4;
const writers = 16;

/** Starts the processes, and lets them begin together. */
async function startAdding(url: string, key: string, times: number): Promise<Child[]> {
  const children = Array.from(
    { length: processes },
    () => new Child("../recipes/counter-child.ts", [url, key, String(writers), String(times)]),
  );
  for (const child of children) expect(await child.line()).toBe("ready");
  for (const child of children) child.tell("go");
  return children;
}

/** All counts that a child was given, until it ends. */
async function countsOf(child: Child): Promise<bigint[]> {
  const counts: bigint[] = [];
  for (;;) {
    const line = await child.line().catch(() => undefined);
    if (line === undefined) break;
    counts.push(BigInt(line));
  }
  await child.exited;
  return counts;
}

onBackends(
  (backend) => backend.shared,
  (running, backend) => {
    test("64 writers in 4 processes: every addition counts once, and each gets a count of its own", async () => {
      const times = 25;
      const total = processes * writers * times;
      const children = await startAdding(running().directUrl!, "exact", times);
      const counts = (await Promise.all(children.map(countsOf))).flat();
      for (const child of children) expect(child.process.exitCode).toBe(0);
      expect(new Set(counts).size).toBe(total);
      expect(await createCounter(await running().openDirect(), "exact").value()).toBe(BigInt(total));
    });

    test("a process that is killed while it adds: what it was told counts, and nothing twice", async () => {
      const children = await startAdding(running().directUrl!, "killed", 50);
      const [victim] = children;
      const first = await victim!.line();
      victim!.kill("SIGKILL");
      const counts = [BigInt(first), ...(await Promise.all(children.map(countsOf))).flat()];
      expect(new Set(counts).size, "no count was given twice").toBe(counts.length);
      const value = await createCounter(await running().openDirect(), "killed").value();
      expect(value).toBeGreaterThanOrEqual(BigInt(counts.length));
      // Beyond what was told, at most what one process had under way: one batch that was sent, one it had not read out.
      expect(value).toBeLessThanOrEqual(BigInt(counts.length + 2 * writers));
    });

    // A file has no connection that could be cut.
    if (!backend.served) return;
    test("exact through cuts, lost answers and a killed server", async () => {
      const children = await startAdding(running().url!, "faults", Number.POSITIVE_INFINITY);
      const counting = Promise.all(children.map(countsOf));
      const { proxy, member } = running();
      const store = await running().openDirect();
      const counter = createCounter(store, "faults");
      for (let fault = 0; fault < 6; fault++) {
        // Each comes in the middle: after something was added since the last one.
        const before = await counter.value();
        await expect.poll(async () => (await counter.value()) > before, { timeout: 60_000 }).toBe(true);
        if (fault === 1) {
          await member!.kill();
          await member!.start();
        } else if (fault % 2 === 0) {
          // The server does what it is asked, and nobody hears of it.
          proxy!.stall("toClient");
          await pause(100);
          proxy!.cut();
          proxy!.resume();
        } else {
          running().cutOff();
          await pause(200);
          await running().reconnect();
        }
      }
      for (const child of children) child.tell("enough");
      const counts = (await counting).flat();
      for (const child of children) expect(child.process.exitCode).toBe(0);
      expect(new Set(counts).size).toBe(counts.length);
      expect(await counter.value()).toBe(BigInt(counts.length));
    });
  },
);
