import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import type { LockHold } from "../../src/core/store.js";
import {
  createRWLock,
  createSemaphore,
  type RWLock,
  type Semaphore,
  type SemaphoreHold,
  withHold,
  withLock,
} from "../../src/recipes/index.js";
import { ascending, isPending, onEveryBackend } from "./recipes-on-every-backend.js";

onEveryBackend(({ open, ttlMs }, backend) => {
  test("withLock: alone while it runs, its result or its error, and the lock is free afterwards", async () => {
    const stores = [await open(), await open()];
    let inside = 0;
    const tokens: bigint[] = [];
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        withLock(
          stores[at % 2]!,
          "k",
          async (hold) => {
            expect(++inside).toBe(1);
            expect(hold.held).toBe(true);
            tokens.push(hold.token);
            await pause(2);
            inside--;
            return at;
          },
          { ttlMs, value: `worker ${at}` },
        ),
      ),
    );
    expect(results).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(tokens).toEqual(tokens.toSorted(ascending));
    const failing = withLock(stores[0]!, "k", () => Promise.reject(new Error("inside")), { ttlMs });
    await expect(failing).rejects.toThrow("inside");
    await withLock(stores[1]!, "k", async () => {
      const late = withLock(stores[0]!, "k", () => "never", { ttlMs, timeoutMs: 50 });
      await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
      const given = new AbortController();
      const waiting = withLock(stores[0]!, "k", () => "never", { ttlMs, signal: given.signal });
      given.abort(new Error("enough"));
      await expect(waiting).rejects.toThrow("enough");
    });
    expect(await stores[0]!.keys("")).toEqual([]);
  });

  test("readers share, a writer is alone, and a writer that waits keeps new readers out", async () => {
    const [one, two] = [await open(), await open()];
    const ours = createRWLock(one, "/doc/", { ttlMs });
    const theirs = createRWLock(two, "doc", { ttlMs });
    expect(ours.key).toBe("doc");
    const readers = [await ours.read.lock(), await theirs.read.lock(), await ours.read.tryLock()];
    for (const hold of readers) expect(hold).toMatchObject({ key: "doc", held: true });
    expect(await theirs.write.tryLock(), "readers are inside").toBeUndefined();

    const writing = theirs.write.lock();
    await expect.poll(() => two.exists("doc/door")).toBe(true);
    const late = ours.read.lock();
    expect(await ours.read.tryLock(), "a writer waits").toBeUndefined();
    await readers[0]!.unlock();
    await readers[1]!.unlock();
    expect(await isPending(Promise.race([writing, late]), 200), "one reader is still inside").toBe(true);
    await readers[2]!.unlock();
    const writer = await writing;
    expect(writer.held).toBe(true);
    expect(await isPending(late, 200), "a writer is inside").toBe(true);
    expect(await ours.read.tryLock()).toBeUndefined();
    expect(await ours.write.tryLock()).toBeUndefined();
    await writer.unlock();
    const reader = await late;
    expect(reader.held).toBe(true);
    await reader.unlock();
    const again = (await ours.write.tryLock())!;
    expect(again.token).toBeGreaterThan(writer.token);
    await again.unlock();
    expect(await one.keys("")).toEqual([]);
  });

  test("readers and writers who give up leave nothing behind and let the others on", async () => {
    const [one, two] = [await open(), await open()];
    const ours = createRWLock(one, "doc", { ttlMs });
    const theirs = createRWLock(two, "doc", { ttlMs });
    const reader = await ours.read.lock();
    await expect(theirs.write.lock({ timeoutMs: 300 })).rejects.toMatchObject({ code: "TIMEOUT", key: "doc" });
    const second = await theirs.read.lock();
    await reader.unlock();
    await second.unlock();
    const writer = await ours.write.lock();
    await expect(theirs.read.lock({ timeoutMs: 300 })).rejects.toMatchObject({ code: "TIMEOUT" });
    const given = new AbortController();
    const waiting = theirs.read.lock({ signal: given.signal });
    given.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await writer.unlock();
    await expect.poll(() => one.keys("")).toEqual([]);
    await withHold(
      () => theirs.write.lock(),
      (hold) => expect(hold.held).toBe(true),
    );
  });

  test("readers and writers of three clients: no writer with anybody, and everybody has their turn", async () => {
    const locks: RWLock[] = [];
    for (let client = 0; client < 3; client++) locks.push(createRWLock(await open(), "doc", { ttlMs: 15_000 }));
    const readers = new Set<LockHold>();
    const writers: bigint[] = [];
    let writing = 0;
    let together = 0;
    const turn = async (client: number, round: number): Promise<void> => {
      const lock = locks[client]!;
      if ((round + client) % 3 === 0) {
        await withHold(
          () => lock.write.lock(),
          async ({ token }) => {
            expect([++writing, readers.size]).toEqual([1, 0]);
            writers.push(token);
            await pause(2);
            writing--;
          },
        );
        return;
      }
      await withHold(
        () => lock.read.lock(),
        async (hold) => {
          readers.add(hold);
          together = Math.max(together, readers.size);
          expect(writing).toBe(0);
          await pause(4);
          expect(writing).toBe(0);
          readers.delete(hold);
        },
      );
    };
    // Two at a time in each client.
    await Promise.all(
      [0, 1, 2, 0, 1, 2].map(async (client) => {
        for (let round = 0; round < 6; round++) await turn(client, round);
      }),
    );
    expect(writers).toHaveLength(12);
    expect(writers).toEqual(writers.toSorted(ascending));
    expect(together, "readers did read together").toBeGreaterThan(1);
  });

  test("a semaphore: never more holders than slots, waiters in turn, tokens that grow for each slot", async () => {
    const [one, two] = [await open(), await open()];
    const ours = createSemaphore(one, "/pool/", 2, { ttlMs, value: "ours" });
    const theirs = createSemaphore(two, "pool", 2, { ttlMs });
    const first = await ours.acquire();
    const second = (await theirs.tryAcquire())!;
    expect([first.slot, second.slot].toSorted(ascending)).toEqual([0, 1]);
    expect(first).toMatchObject({ key: "pool", held: true });
    expect(await theirs.tryAcquire()).toBeUndefined();
    await expect(ours.acquire({ timeoutMs: 200 })).rejects.toMatchObject({ code: "TIMEOUT", key: "pool" });

    const order: number[] = [];
    const waiting: Promise<SemaphoreHold>[] = [];
    for (let at = 0; at < 3; at++) {
      waiting.push(
        (at % 2 === 0 ? ours : theirs).acquire().then((hold) => {
          order.push(at);
          return hold;
        }),
      );
      // The next one comes after this one stands in line, as far as can be seen from outside.
      await expect.poll(() => one.exists("pool/turn")).toBe(true);
      await pause(50);
    }
    await first.unlock();
    const third = await Promise.race(waiting);
    expect(third.slot).toBe(first.slot);
    expect(third.token).toBeGreaterThan(first.token);
    await second.unlock();
    await expect.poll(() => order).toHaveLength(2);
    await third.unlock();
    const holds = await Promise.all(waiting);
    if (one.capabilities.lock.fair) expect(order).toEqual([0, 1, 2]);
    for (const hold of holds) if (hold !== third) await hold.unlock();
    expect(await one.keys("")).toEqual([]);
  });

  test("a semaphore under contention: the count is never above its slots", async () => {
    const semaphores: Semaphore[] = [];
    for (let client = 0; client < 2; client++)
      semaphores.push(createSemaphore(await open(), "pool", 3, { ttlMs: 15_000 }));
    const slots = new Set<number>();
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        for (let round = 0; round < 3; round++) {
          await withHold(
            () => semaphores[worker % 2]!.acquire(),
            async ({ slot }) => {
              expect(slots.has(slot)).toBe(false);
              slots.add(slot);
              most = Math.max(most, slots.size);
              await pause(3);
              slots.delete(slot);
            },
          );
        }
      }),
    );
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  test(`arguments that make no sense are refused (${backend.name})`, async () => {
    const store = await open();
    expect(() => createSemaphore(store, "pool", 0)).toThrow(/slots.*"pool"/);
    expect(() => createRWLock(store, "..")).toThrow(/INVALID_KEY/);
    await expect(createSemaphore(store, "pool", 1).acquire({ timeoutMs: -1 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});
