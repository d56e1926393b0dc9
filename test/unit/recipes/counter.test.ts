import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { createMemoryStore, type MemoryStore } from "../../../src/bolt/memory.js";
import { KVPair } from "../../../src/core/pair.js";
import { readCounter, rememberedWriters, writeCounter } from "../../../src/recipes/counter-record.js";
import { createCounter, createSequence } from "../../../src/recipes/index.js";

async function twoStores(): Promise<[MemoryStore, MemoryStore]> {
  const name = randomUUID();
  return [await createMemoryStore({ name }), await createMemoryStore({ name })];
}

it("an addition whose answer was lost is not made twice", async () => {
  const [store] = await twoStores();
  const counter = createCounter(store, "hits");
  for (let number = 1n; number <= 5n; number++) {
    store.failNext("atomicPut", { code: "UNREACHABLE", outcome: "unknown", applied: true });
    expect(await counter.add()).toBe(number);
  }
  expect(await counter.value()).toBe(5n);
});

it("an addition that was lost on the way is made after all", async () => {
  const [store] = await twoStores();
  const counter = createCounter(store, "hits");
  for (let number = 1n; number <= 5n; number++) {
    store.failNext("atomicPut", { code: "TIMEOUT", outcome: "unknown", applied: false });
    expect(await counter.add()).toBe(number);
  }
  expect(await counter.value()).toBe(5n);
});

it("a lost answer is found also when others have added since, with the count of its own time", async () => {
  const [ours, theirs] = await twoStores();
  const [counter, other] = [createCounter(ours, "hits"), createCounter(theirs, "hits")];
  await counter.add(10);
  ours.failNext("atomicPut", { code: "TIMEOUT", outcome: "unknown", applied: true });
  const added = counter.add(5);
  await expect.poll(() => other.value()).toBe(15n);
  // The next read of ours meets what the other makes of it.
  expect(await other.add(100)).toBe(115n);
  expect(await added).toBe(15n);
  expect(await counter.add()).toBe(116n);
});

it("each addition has its own deadline and signal; one that was not sent is not made", async () => {
  const [store] = await twoStores();
  const counter = createCounter(store, "hits");
  expect(await counter.add()).toBe(1n);
  store.suspend();
  const given = new AbortController();
  const sent = counter.add(1, { timeoutMs: 200 });
  const alsoSent = counter.add(1, { signal: given.signal, timeoutMs: 60_000 });
  await new Promise((resolve) => setImmediate(resolve));
  const waiting = counter.add(1, { timeoutMs: 200 });
  const waitingToo = counter.add(1, { signal: given.signal });
  await expect(sent).rejects.toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
  await expect(waiting).rejects.toMatchObject({ code: "TIMEOUT", outcome: "not-applied", key: "hits" });
  given.abort(new Error("enough"));
  await expect(alsoSent).rejects.toMatchObject({ code: "ABORTED", outcome: "unknown", cause: given.signal.reason });
  await expect(waitingToo).rejects.toThrow("enough");
  await store.resume();
  const after = await counter.add();
  expect([2n, 4n]).toContain(after);
  expect(await counter.value()).toBe(after);
});

it("a permanent error reaches every caller of the batch, and the next addition is in order", async () => {
  const [store] = await twoStores();
  const counter = createCounter(store, "hits");
  store.failNext("atomicPut", { code: "PERMISSION_DENIED" });
  const added = [counter.add(), counter.add()];
  for (const each of added) await expect(each).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  expect(await counter.add()).toBe(1n);
});

it("a sequence in blocks goes on after a block that could not be fetched", async () => {
  const [store] = await twoStores();
  const sequence = createSequence(store, "ids", { block: 5 });
  store.failNext("atomicPut", { code: "PERMISSION_DENIED" });
  const first = [sequence.next(), sequence.next()];
  for (const each of first) await expect(each).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  expect(await Promise.all(Array.from({ length: 7 }, () => sequence.next()))).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  expect(await createCounter(store, "ids").value()).toBe(10n);
});

it("the record keeps the last writers, and survives being read and written", () => {
  let text = "-7";
  for (let writer = 0; writer < rememberedWriters + 5; writer++) {
    const record = readCounter("memory", new KVPair("k", Buffer.from(text), 1n));
    text = writeCounter(record, { writer: `w${writer}`, sequence: writer, count: record.count + 1n });
  }
  const record = readCounter("memory", new KVPair("k", Buffer.from(text), 1n));
  expect(record.count).toBe(BigInt(rememberedWriters + 5 - 7));
  expect(record.writers).toHaveLength(rememberedWriters);
  expect(record.writers[0]).toEqual({ writer: "w68", sequence: 68, count: record.count });
  expect(record.writers.at(-1)!.writer).toBe("w5");
});
