import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { setTimeout as pause } from "node:timers/promises";
import { createMemoryStore, type MemoryStore } from "../../../src/bolt/memory.js";
import type { LockHold, Store } from "../../../src/core/store.js";
import { createBarrier, createRWLock, createSemaphore, withHold, withLock } from "../../../src/recipes/index.js";
import { createDeferred } from "../../../src/util/deferred.js";
import { countListeners } from "../core/support/listeners.js";

async function twoStores(): Promise<[MemoryStore, MemoryStore]> {
  const name = randomUUID();
  return [await createMemoryStore({ name }), await createMemoryStore({ name })];
}

/** The one key below a directory. */
async function only(store: MemoryStore, directory: string): Promise<string> {
  const keys = await store.keys(directory);
  expect(keys).toHaveLength(1);
  return keys[0]!;
}

/** The store, with something that happens right before each `lock`, and right after each answer to a `get` or a `keys`. */
function withHook(store: MemoryStore, hook: (call: "get" | "keys" | "lock", key: string) => Promise<void>): Store {
  const after = async <T>(call: "get" | "keys", key: string, answer: Promise<T>): Promise<T> => {
    const given = await answer;
    await hook(call, key);
    return given;
  };
  const calls: Partial<Store> = {
    get: (key, options) => after("get", key, store.get(key, options)),
    keys: (key, options) => after("keys", key, store.keys(key, options)),
    newLock: (key, options) => {
      const lock = store.newLock(key, options);
      return {
        key,
        lock: async (waiting) => {
          await hook("lock", key);
          return lock.lock(waiting);
        },
        tryLock: (waiting) => lock.tryLock(waiting),
        unlock: (waiting) => lock.unlock(waiting),
      };
    },
    watchTree: (key, options) => store.watchTree(key, options),
    backend: store.backend,
  };
  return calls as Store;
}

it("withLock rejects with LOCK_LOST when the lock went while the function ran", async () => {
  const [store] = await twoStores();
  const working = withLock(store, "k", async (hold) => {
    await store.loseLock("k");
    await expect.poll(() => hold.signal.aborted).toBe(true);
    return "done";
  });
  await expect(working).rejects.toMatchObject({ code: "LOCK_LOST", key: "k" });
});

it("withLock gives the result of work that was done when only the release fails", async () => {
  const [store] = await twoStores();
  const working = withLock(store, "k", () => {
    store.suspend();
    return "done";
  });
  expect(await working).toBe("done");
});

it("a reader whose entry is lost is told, and the writer goes on", async () => {
  const [store, other] = await twoStores();
  const reader = await createRWLock(store, "doc").read.lock();
  const writing = createRWLock(other, "doc").write.lock();
  await store.loseLock(await only(store, "doc/readers"));
  expect((await writing).held).toBe(true);
  await expect.poll(() => reader.signal.aborted).toBe(true);
  expect(reader.held).toBe(false);
});

it("a writer who loses the door while it waits for the readers takes it again before it writes", async () => {
  const [store, other] = await twoStores();
  const reader = await createRWLock(store, "doc").read.lock();
  const writing = createRWLock(other, "doc").write.lock();
  await expect.poll(() => store.exists("doc/door")).toBe(true);
  const before = (await store.get("doc/door"))!.revision;
  await other.loseLock("doc/door");
  await expect.poll(async () => ((await store.get("doc/door"))?.revision ?? 0n) > before).toBe(true);
  await reader.unlock();
  const writer = await writing;
  expect(writer.token).toBeGreaterThan(before);
  expect(writer.held).toBe(true);
  await writer.unlock();
  expect(await store.keys("")).toEqual([]);
});

it("a writer who loses the door while it looks for readers does not write before it has it again", async () => {
  const [store] = await twoStores();
  let lost: bigint | undefined;
  const hooked = withHook(store, async (call) => {
    if (call !== "keys" || lost !== undefined) return;
    lost = (await store.get("doc/door"))!.revision;
    await store.loseLock("doc/door");
  });
  const writer = await createRWLock(hooked, "doc").write.lock();
  expect(writer.token).toBeGreaterThan(lost!);
  expect(writer.held).toBe(true);
});

it("a reader whose entry goes while it looks at the door does not read on it", async () => {
  const [store] = await twoStores();
  const lost: string[] = [];
  const hooked = withHook(store, async (call) => {
    if (call !== "get" || lost.length > 0) return;
    lost.push(await only(store, "doc/readers"));
    await store.loseLock(lost[0]!);
  });
  const reader = await createRWLock(hooked, "doc").read.lock();
  expect(reader.held).toBe(true);
  expect(await only(store, "doc/readers")).not.toBe(lost[0]);
});

it("a reader who loses the door before it has announced itself there lines up again", async () => {
  const [store, other] = await twoStores();
  const first = await createRWLock(other, "doc").write.lock();
  const second = createDeferred<LockHold>();
  let announced = 0;
  const hooked = withHook(store, async (call, key) => {
    // The reader has seen the writer and goes to the door.
    if (call === "get") await first.unlock();
    if (call !== "lock" || !key.startsWith("doc/readers/") || ++announced !== 2) return;
    // The reader's process stands still: the door is lost meanwhile, and a writer comes.
    await store.loseLock("doc/door");
    second.resolve(await createRWLock(other, "doc").write.lock());
  });
  const reading = createRWLock(hooked, "doc").read.lock();
  const writer = await second.promise;
  expect(await Promise.race([reading.then(() => "reads"), pause(100, "waits")])).toBe("waits");
  expect(writer.held).toBe(true);
  await writer.unlock();
  expect((await reading).held).toBe(true);
});

it("a reader that the watch never showed, since it went at once, does not hold up a writer", async () => {
  const [store] = await twoStores();
  let looks = 0;
  const hooked = withHook(store, () => Promise.resolve());
  const passing: Store = {
    ...hooked,
    keys: async (key, options) => (++looks < 3 ? ["doc/readers/passing"] : store.keys(key, options)),
  };
  const writer = await createRWLock(passing, "doc").write.lock({ timeoutMs: 5_000 });
  expect(writer.held).toBe(true);
  expect(looks).toBe(3);
});

it("who waits for a slot and loses its turn lines up again", async () => {
  const [store, other] = await twoStores();
  const first = await createSemaphore(store, "pool", 1).acquire();
  const waiting = createSemaphore(other, "pool", 1).acquire();
  await expect.poll(() => store.exists("pool/turn")).toBe(true);
  const before = (await store.get("pool/turn"))!.revision;
  await other.loseLock("pool/turn");
  await expect.poll(async () => ((await store.get("pool/turn"))?.revision ?? 0n) > before).toBe(true);
  await first.unlock();
  const second = await waiting;
  expect(second.token).toBeGreaterThan(first.token);
  await withHold(
    () => Promise.resolve(second),
    ({ slot }) => expect(slot).toBe(0),
  );
  expect(await store.keys("")).toEqual([]);
});

it("a lost member of a barrier counts as left, and one lost in the wait comes back", async () => {
  const [store, other] = await twoStores();
  const early = createBarrier(store, "start", 2).enter();
  await expect.poll(() => store.keys("start/members")).toHaveLength(1);
  const before = await only(store, "start/members");
  await store.loseLock(before);
  await expect.poll(async () => (await store.keys("start/members")).filter((key) => key !== before)).toHaveLength(1);
  const visits = await Promise.all([early, createBarrier(other, "start", 2).enter()]);
  const leaving = visits[1].leave();
  await expect.poll(() => store.keys("start/members")).toHaveLength(1);
  await store.loseLock(await only(store, "start/members"));
  await leaving;
  expect(visits[0].held).toBe(false);
  expect(visits[0].signal.reason).toMatchObject({ code: "LOCK_LOST" });
  await visits[0].leave();
  expect(await store.keys("")).toEqual([]);
});

it("waits that are over leave no listener on the caller's signal", async () => {
  const [store, other] = await twoStores();
  const { signal } = new AbortController();
  const lock = createRWLock(store, "doc");
  const semaphore = createSemaphore(store, "pool", 1);
  const writer = await lock.write.lock({ signal });
  const slot = await semaphore.acquire({ signal });
  for (const wait of [
    lock.read.lock({ signal, timeoutMs: 20 }),
    lock.write.lock({ signal, timeoutMs: 20 }),
    createSemaphore(other, "pool", 1).acquire({ signal, timeoutMs: 20 }),
    createBarrier(other, "start", 2).enter({ signal, timeoutMs: 20 }),
  ]) {
    await expect(wait).rejects.toMatchObject({ code: "TIMEOUT" });
  }
  await writer.unlock();
  await slot.unlock();
  expect(countListeners(signal)()).toBe(0);
});
