import { expect, it } from "vitest";
import { createMemoryStore } from "../../../src/bolt/memory.js";
import { StoreError } from "../../../src/core/errors.js";
import { createCandidate, observeLeader, type Term } from "../../../src/recipes/index.js";
import { createDeferred } from "../../../src/util/deferred.js";

/** Resolves when the signal fires. */
function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

it("a lost leadership ends the term, and the next begins only when the function has ended", async () => {
  const store = await createMemoryStore();
  const candidate = createCandidate(store, "leader", { restMs: 1 });
  const begun: Term[] = [];
  const second = createDeferred<void>();
  const mayEnd = createDeferred<void>();
  const running = candidate.run(async (term) => {
    begun.push(term);
    if (begun.length === 2) second.resolve();
    await fired(term.signal);
    if (begun.length === 1) await mayEnd.promise;
  });
  await expect.poll(() => begun.length).toBe(1);
  await store.loseLock("leader");
  await expect.poll(() => begun[0]!.signal.aborted).toBe(true);
  expect(begun[0]!.signal.reason).toMatchObject({ code: "LOCK_LOST" });
  expect(begun[0]!.held).toBe(false);
  expect(candidate.leading).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(begun, "the function of the first term still runs").toHaveLength(1);
  mayEnd.resolve();
  await second.promise;
  expect(begun[1]!.token).toBeGreaterThan(begun[0]!.token);
  await candidate.stop();
  await running;
});

it("an outage ends the term in time, and the candidate leads again after it", async () => {
  const store = await createMemoryStore();
  const candidate = createCandidate(store, "leader", { ttlMs: 10_000 });
  const terms: Term[] = [];
  const errors: unknown[] = [];
  const running = candidate.run(async (term) => {
    terms.push(term);
    // What the work would throw in an outage.
    if (terms.length === 1) {
      await fired(term.signal);
      throw new StoreError("UNREACHABLE", "nothing answers");
    }
    await fired(term.signal);
  });
  await expect.poll(() => terms.length).toBe(1);
  store.suspend();
  await store.advance(10_000);
  expect(terms[0]!.signal.reason).toMatchObject({ code: "LOCK_LOST" });
  await store.resume();
  await expect.poll(() => terms.length, { timeout: 10_000 }).toBe(2);
  expect(errors).toEqual([]);
  await candidate.stop();
  await running;
});

it("what a function throws because its term is over does not end the run; everything else does", async () => {
  const store = await createMemoryStore();
  const candidate = createCandidate(store, "leader", { restMs: 1 });
  const throws: ((term: Term) => unknown)[] = [
    (term) => term.signal.reason,
    (term) => new Error("the request failed", { cause: term.signal.reason }),
    () => new DOMException("stopped", "AbortError"),
    () => new Error("a bug"),
  ];
  const running = candidate.run(async (term) => {
    await fired(term.signal);
    throw throws.shift()!(term);
  });
  running.catch(() => undefined);
  while (throws.length > 0) {
    const left = throws.length;
    await expect.poll(() => candidate.leading).toBe(true);
    await candidate.resign();
    expect(throws.length).toBe(left - 1);
  }
  await expect(running).rejects.toThrow("a bug");
  expect(await candidate.leader(), "the lock was given back").toBeUndefined();
});

it("with onError the candidate goes on after a failure of the function", async () => {
  const store = await createMemoryStore();
  const errors: unknown[] = [];
  const candidate = createCandidate(store, "leader", { restMs: 1, onError: (error) => errors.push(error) });
  let terms = 0;
  const running = candidate.run(async (term) => {
    if (++terms < 4) throw new Error(`failure ${terms}`);
    await fired(term.signal);
  });
  await expect.poll(() => candidate.leading && terms === 4).toBe(true);
  expect(errors.map(String)).toEqual(["Error: failure 1", "Error: failure 2", "Error: failure 3"]);
  await candidate.stop();
  await running;
});

it("an error of the store that will not pass ends the run", async () => {
  const store = await createMemoryStore();
  const errors: unknown[] = [];
  const candidate = createCandidate(store, "leader", { onError: (error) => errors.push(error) });
  store.failNext("lock", { code: "PERMISSION_DENIED" });
  await expect(candidate.run(() => undefined)).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  expect(errors).toEqual([]);
});

it("runs one campaign at a time, and again after it was stopped by its signal", async () => {
  const store = await createMemoryStore();
  const candidate = createCandidate(store, "leader");
  const given = new AbortController();
  const running = candidate.run((term) => fired(term.signal), { signal: given.signal });
  running.catch(() => undefined);
  await expect.poll(() => candidate.leading).toBe(true);
  await expect(candidate.run(() => undefined)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", key: "leader" });
  given.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
  expect(await candidate.leader()).toBeUndefined();
  const again = candidate.run((term) => fired(term.signal));
  await expect.poll(() => candidate.leading).toBe(true);
  await candidate.stop();
  await again;
  await candidate.stop();
  await candidate.resign();
});

it("ids that nobody chose differ, and an id may not be what the store cannot hold", async () => {
  const store = await createMemoryStore();
  expect(createCandidate(store, "k").id).not.toBe(createCandidate(store, "k").id);
  const candidate = createCandidate(store, "k", { id: "\ud800" });
  await expect(candidate.run(() => undefined)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  expect(() => createCandidate(store, "k", { restMs: 0 })).toThrow(/restMs/);
});

it("whoever observes sees each change of the leader once, in whatever way the key is written", async () => {
  const store = await createMemoryStore();
  const seen: (string | undefined)[] = [];
  await store.put("leader", "bob");
  const observing = (async () => {
    for await (const leader of observeLeader(store, "leader")) {
      seen.push(leader);
      if (leader === "last") return;
    }
  })();
  await expect.poll(() => seen).toEqual(["bob"]);
  for (const id of ["bob", "alice", "alice"]) await store.put("leader", id);
  await store.delete("leader");
  await store.put("leader", new Uint8Array([0xff]));
  await store.put("leader", "last");
  await observing;
  expect(seen).toEqual(["bob", "alice", undefined, "\ufffd", "last"]);
});

it("stays out for a while after a term that it gave up, so that another gets its turn", async () => {
  const store = await createMemoryStore();
  const candidate = createCandidate(store, "leader", { restMs: 300 });
  const began: number[] = [];
  await candidate.run(() => {
    began.push(performance.now());
    if (began.length === 2) void candidate.stop();
  });
  expect(began[1]! - began[0]!).toBeGreaterThan(290);
});
