import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LockHold, Store } from "../../../src/core/store.js";
import { createBarrier, createRWLock, createSemaphore } from "../../../src/recipes/index.js";
import { Child } from "../store/support.js";
import { fired } from "../support/calls.js";
import { onBackends, ttlMs } from "./running-backend.js";
import { stopProcess } from "../../servers/stopped-process.js";

onBackends(
  (backend) => backend.shared,
  (running) => {
    const holder = async (what: string, key: string): Promise<Child> => {
      const child = new Child("../recipes/holder-child.ts", [running().directUrl!, what, key, String(ttlMs)]);
      if (what !== "barrier") expect(await child.line()).toMatch(/^held \d+$/);
      return child;
    };

    test("a reader that is killed keeps a writer out for its ttl, a writer likewise", async () => {
      const store = await running().openDirect();
      const lock = createRWLock(store, "killed", { ttlMs });
      const reader = await holder("read", "killed");
      expect(await lock.write.tryLock()).toBeUndefined();
      reader.kill("SIGKILL");
      const writing = await lock.write.lock({ timeoutMs: 30_000 });
      await writing.unlock();
      const writer = await holder("write", "killed");
      expect(await lock.read.tryLock()).toBeUndefined();
      writer.kill("SIGKILL");
      const reading = await lock.read.lock({ timeoutMs: 30_000 });
      await reading.unlock();
      expect(await store.keys("killed")).toEqual([]);
    });

    test("a reader that is stopped is told when it goes on, and the writer that came meanwhile stays alone", async () => {
      const store = await running().openDirect();
      const reader = await holder("read", "stopped");
      await stopProcess(reader.process, running().directUrl!);
      const writer = await createRWLock(store, "stopped", { ttlMs }).write.lock({ timeoutMs: 30_000 });
      reader.kill("SIGCONT");
      expect(await reader.line()).toBe("lost");
      expect(writer.held).toBe(true);
      await writer.unlock();
    });

    test("the slot of a holder that is killed goes to the next, with a greater token", async () => {
      const store = await running().openDirect();
      const child = new Child("../recipes/holder-child.ts", [running().directUrl!, "slot", "pool", String(ttlMs)]);
      const token = BigInt((await child.line()).split(" ")[1]!);
      const semaphore = createSemaphore(store, "pool", 1, { ttlMs });
      expect(await semaphore.tryAcquire()).toBeUndefined();
      child.kill("SIGKILL");
      const hold = await semaphore.acquire({ timeoutMs: 30_000 });
      expect(hold.token).toBeGreaterThan(token);
      await hold.unlock();
    });

    test("a member of a barrier that is killed keeps nobody in", async () => {
      const store = await running().openDirect();
      const child = await holder("barrier", "start");
      const visit = await createBarrier(store, "start", 2, { ttlMs }).enter({ timeoutMs: 30_000 });
      expect(await child.line()).toMatch(/^held/);
      child.kill("SIGKILL");
      await visit.leave({ timeoutMs: 30_000 });
      expect(await store.keys("start")).toEqual([]);
    });
  },
);

/** Checks at each acquisition that nobody who may not hold beside it still does, by the clock. */
class Referee {
  readonly #inside = new Map<LockHold, string>();
  readonly #allowed: (kinds: readonly string[]) => boolean;
  readonly tokens: bigint[] = [];
  acquisitions = 0;

  constructor(allowed: (kinds: readonly string[]) => boolean) {
    this.#allowed = allowed;
  }

  enter(hold: LockHold, kind: string): void {
    this.acquisitions++;
    if (kind === "write") this.tokens.push(hold.token);
    this.#inside.set(hold, kind);
    const holding = [...this.#inside].filter(([each]) => each.held).map(([, each]) => each);
    if (!this.#allowed(holding)) throw new Error(`these hold together: ${holding.join(", ")}`);
  }

  leave(hold: LockHold): void {
    this.#inside.delete(hold);
  }
}

onBackends(
  (backend) => backend.served,
  (running) => {
    /**
     * Workers of three clients, two of which the proxy can cut off, take turns while one fault comes after the other, and
     * once more when all is well again.
     */
    const throughFaults = async (turn: (client: number, round: number) => Promise<void>): Promise<void> => {
      const over = new AbortController();
      const workers = [0, 0, 1, 1, 2, 2].map(async (client, at) => {
        for (let round = at; !over.signal.aborted; round++) await turn(client, round);
        await turn(client, at);
      });
      const { proxy, member } = running();
      const faults = async (): Promise<void> => {
        running().cutOff();
        await pause(ttlMs * 1.5);
        await running().reconnect();
        await pause(1_000);
        proxy!.stall("toClient");
        await pause(ttlMs * 1.5);
        proxy!.resume();
        proxy!.cut();
        await pause(1_000);
        await member!.kill();
        await member!.start();
        await pause(1_000);
      };
      const faulty = faults().finally(() => over.abort());
      await Promise.all([...workers, faulty]);
    };

    const clients = async (): Promise<Store[]> => [
      await running().open(),
      await running().open(),
      await running().openDirect(),
    ];

    test("readers and writers through cuts, stalls and a killed server: never a writer beside anybody", async () => {
      const locks = (await clients()).map((store) => createRWLock(store, "doc", { ttlMs }));
      const referee = new Referee((holding) => !holding.includes("write") || holding.length === 1);
      const each = [0, 0, 0];
      await throughFaults(async (client, round) => {
        const kind = round % 3 === 0 ? "write" : "read";
        const hold = await locks[client]![kind].lock({ timeoutMs: 120_000 });
        referee.enter(hold, kind);
        await Promise.race([pause(20), fired(hold.signal)]);
        referee.leave(hold);
        await hold[Symbol.asyncDispose]();
        each[client]!++;
      });
      expect(referee.tokens.every((token, at) => at === 0 || token > referee.tokens[at - 1]!)).toBe(true);
      expect(referee.tokens.length).toBeGreaterThan(10);
      for (const turns of each) expect(turns, "each client came through").toBeGreaterThan(2);
    });

    test("a semaphore through the same: never more holders than slots", async () => {
      const semaphores = (await clients()).map((store) => createSemaphore(store, "pool", 2, { ttlMs }));
      const referee = new Referee((holding) => holding.length <= 2);
      const each = [0, 0, 0];
      await throughFaults(async (client) => {
        const hold = await semaphores[client]!.acquire({ timeoutMs: 120_000 });
        referee.enter(hold, `slot ${hold.slot}`);
        await Promise.race([pause(20), fired(hold.signal)]);
        referee.leave(hold);
        await hold[Symbol.asyncDispose]();
        each[client]!++;
      });
      for (const turns of each) expect(turns, "each client came through").toBeGreaterThan(2);
    });
  },
);
