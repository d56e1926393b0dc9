import { tracingChannel } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { createBarrier, createCounter, createSequence } from "../../src/recipes/index.js";
import { ascending, isPending, onEveryBackend } from "./recipes-on-every-backend.js";

/** How many calls of these operations the stores got while `work` ran. */
async function countingCalls<T>(work: () => Promise<T>): Promise<{ result: T; calls: Record<string, number> }> {
  const calls: Record<string, number> = {};
  const channel = tracingChannel("kvasir:call");
  const start = (message: unknown): void => {
    const { operation } = message as { operation: string };
    calls[operation] = (calls[operation] ?? 0) + 1;
  };
  channel.start.subscribe(start);
  try {
    return { result: await work(), calls };
  } finally {
    channel.start.unsubscribe(start);
  }
}

const upTo = (last: number): bigint[] => Array.from({ length: last }, (_, at) => BigInt(at + 1));

onEveryBackend(({ open, ttlMs }) => {
  test("a barrier lets nobody through until all are there, nor out until all leave; and again", async () => {
    const barriers = [await open(), await open(), await open()].map((store) =>
      createBarrier(store, "/start/", 3, { ttlMs, value: "party" }),
    );
    expect(barriers[0]).toMatchObject({ key: "start", parties: 3 });
    for (let round = 0; round < 2; round++) {
      const early = [barriers[0]!.enter(), barriers[1]!.enter()];
      expect(await isPending(Promise.race(early), 200), "one is missing").toBe(true);
      const visits = await Promise.all([...early, barriers[2]!.enter()]);
      for (const visit of visits) expect(visit).toMatchObject({ key: "start", held: true });
      const leaving = [visits[2]!.leave(), visits[0].leave()];
      expect(await isPending(Promise.race(leaving), 200), "one is still inside").toBe(true);
      await Promise.all([...leaving, visits[1]!.leave()]);
    }
    const store = await open();
    expect(await store.keys("")).toEqual([]);
  });

  test("who comes too late for a round waits for the next; who gives up does not count", async () => {
    const store = await open();
    const barrier = createBarrier(store, "start", 2, { ttlMs });
    await expect(barrier.enter({ timeoutMs: 200 })).rejects.toMatchObject({ code: "TIMEOUT", key: "start" });
    expect(await store.keys("")).toEqual([]);
    const first = await Promise.all([barrier.enter(), barrier.enter()]);
    const late = barrier.enter();
    const later = barrier.enter();
    expect(await isPending(Promise.race([late, later]), 200), "the first round is not over").toBe(true);
    const leaving = first[0].leave();
    await expect(first[0].leave({ timeoutMs: 100 })).rejects.toMatchObject({ code: "TIMEOUT" });
    await first[1].leave();
    await leaving;
    const second = await Promise.all([late, later]);
    await Promise.all(second.map((visit) => visit.leave()));
    expect(await store.keys("")).toEqual([]);
  });

  test("a counter is exact, and additions at the same time share a compare-and-set", async () => {
    const [one, two] = [await open(), await open()];
    const [ours, theirs] = [createCounter(one, "/hits/"), createCounter(two, "hits")];
    expect(await ours.value()).toBe(0n);
    expect(await ours.add()).toBe(1n);
    const { result, calls } = await countingCalls(() => Promise.all(Array.from({ length: 64 }, () => ours.add(1))));
    expect(result).toEqual(upTo(65).slice(1));
    expect(calls["atomicPut"]).toBe(1);
    expect(calls["get"] ?? 0, "nobody else wrote").toBeLessThanOrEqual(1);
    const both = await Promise.all(Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? ours : theirs).add(2n)));
    expect(both.toSorted(ascending)).toEqual(upTo(60).map((number) => 65n + 2n * number));
    expect(await theirs.add(-185)).toBe(0n);
    expect((await one.get("hits"))!.text().split("\n")[0], "people can read it").toBe("0");
    await one.put("hits", "41");
    expect(await theirs.add(), "and set it").toBe(42n);
    expect(await ours.value()).toBe(42n);
  });

  test("a counter refuses what it cannot add, and a key that holds something else", async () => {
    const store = await open();
    const counter = createCounter(store, "hits");
    await expect(counter.add(0.5)).rejects.toMatchObject({ code: "INVALID_ARGUMENT", outcome: "not-applied" });
    await expect(counter.add(1, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
    expect(await store.get("hits")).toBeUndefined();
    await store.put("hits", "a dozen");
    await expect(counter.add()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      key: expect.stringMatching(/hits$/),
    });
    await expect(counter.value()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect((await store.get("hits"))!.text()).toBe("a dozen");
    await store.delete("hits");
    expect(await counter.add(), "it is in order again").toBe(1n);
  });

  test("a sequence gives each number once: one by one in order, in blocks to each his own", async () => {
    const [one, two] = [await open(), await open()];
    const plain = [createSequence(one, "/ids/"), createSequence(two, "ids")];
    expect(plain[0]!.key).toBe("ids");
    expect([await plain[0]!.next(), await plain[1]!.next(), await plain[0]!.next()]).toEqual([1n, 2n, 3n]);
    const blocks = [createSequence(one, "blocks", { block: 10 }), createSequence(two, "blocks", { block: 10 })];
    const taking = (sequence: (typeof blocks)[number]): Promise<bigint[]> =>
      Promise.all(Array.from({ length: 25 }, () => sequence.next()));
    const { result, calls } = await countingCalls(() => Promise.all(blocks.map(taking)));
    for (const numbers of result) expect(numbers, "each object's numbers grow").toEqual(numbers.toSorted(ascending));
    const all = result.flat();
    expect(new Set(all).size).toBe(50);
    expect(all.every((number) => number >= 1n && number <= 60n)).toBe(true);
    expect(calls["atomicPut"], "ten numbers at a time, conflicts included").toBeLessThanOrEqual(20);
  });
});
