import { describe, expect, it } from "vitest";
import type { KVPair } from "../../../src/core/pair.js";
import { countListeners } from "./support/listeners.js";
import { settle } from "./support/manual-clock.js";
import { createWatch, pair, shown } from "./support/watching.js";

const over = { done: true, value: undefined };

describe("next()", () => {
  it("starts the watch, and nothing before does", async () => {
    const { key, driver } = createWatch("key", "a");
    const watch = key();
    await settle();
    expect(driver.watches).toHaveLength(0);
    void watch.next();
    expect(driver.watches).toHaveLength(1);
    await watch.return();
  });

  it("called several times at once gives each its own item, in order", async () => {
    const { key, upstream } = createWatch("key", "a");
    const watch = key();
    const items = Promise.all([watch.next(), watch.next(), watch.next()]);
    upstream().sink.snapshot([pair("a", 1)]);
    upstream().sink.changes([2, 3].map((revision) => ({ type: "put", pair: pair("a", revision) })));
    expect((await items).map(({ value }) => (value as KVPair).revision)).toEqual([1n, 2n, 3n]);
    await watch.return();
  });

  it("after the end gives the end, again and again", async () => {
    const { key, driver } = createWatch("key", "a");
    const watch = key();
    await watch.return();
    expect(await watch.next()).toEqual(over);
    expect(await watch.next()).toEqual(over);
    expect(driver.watches, "a watch that ended before it began was never opened").toHaveLength(0);
  });
});

describe("return()", () => {
  it("settles at once while next() is pending, and ends every pending one", async () => {
    const { key, upstream } = createWatch("key", "a");
    const watch = key();
    const pending = [watch.next(), watch.next()];
    expect(await watch.return()).toEqual(over);
    expect(await Promise.all(pending)).toEqual([over, over]);
    expect(upstream().closed).toBe(true);
  });

  it("twice is as once", async () => {
    const { key } = createWatch("key", "a");
    const watch = key();
    void watch.next();
    expect(await watch.return()).toEqual(over);
    expect(await watch.return()).toEqual(over);
  });
});

describe("abort", () => {
  it("throws the signal's reason to the one who waits, and ends", async () => {
    const { key, upstream } = createWatch("key", "a");
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const watch = key(abort.signal);
    const [first, second] = [watch.next(), watch.next()];
    const reason = new Error("enough");
    const rejected = expect(first).rejects.toBe(reason);
    abort.abort(reason);
    await rejected;
    expect(await second).toEqual(over);
    expect(await watch.next()).toEqual(over);
    expect(upstream().closed).toBe(true);
    expect(listeners()).toBe(0);
  });

  it("before the first next() opens nothing", async () => {
    const { key, driver } = createWatch("key", "a");
    const watch = key(AbortSignal.abort(new Error("before")));
    await expect(watch.next()).rejects.toThrow("before");
    expect(driver.watches).toHaveLength(0);
  });

  it("one listener per signal, however many watches, and none after the last", async () => {
    const { key } = createWatch("key", "a");
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const watches = Array.from({ length: 50 }, () => key(abort.signal));
    expect(listeners(), "a watch listens when it begins").toBe(0);
    for (const watch of watches) void watch.next();
    expect(listeners()).toBe(1);
    for (const watch of watches.slice(1)) await watch.return();
    expect(listeners()).toBe(1);
    await watches[0]!.return();
    expect(listeners()).toBe(0);
  });
});

describe("a consumer that stands still", () => {
  const changes = 100_000;

  it("in a tree: 100,000 changes of 10 keys are the last of each, and no more is kept", async () => {
    const { tree, upstream } = createWatch();
    const watch = tree();
    const first = watch.next();
    const { sink } = upstream();
    sink.snapshot([]);
    await first;
    for (let revision = 1; revision <= changes; revision++) {
      sink.changes([{ type: "put", pair: pair(`k${revision % 10}`, revision) }]);
    }
    const { value } = await watch.next();
    expect(value!.changes.length).toBeLessThanOrEqual(512);
    expect(value!.pairs.map(({ revision }) => revision)).toEqual(
      [100_000, 99_991, 99_992, 99_993, 99_994, 99_995, 99_996, 99_997, 99_998, 99_999].map(BigInt),
    );
    const last = new Map(value!.changes.map((change) => [change.key, change]));
    expect(last.size).toBe(10);
    for (const [key, change] of last) {
      expect(change).toMatchObject({ type: "put", pair: value!.pairs.find((each) => each.key === key) });
    }
    await watch.return();
  });

  it("of a key: the first state it asked for is the one it saw last, then the latest comes", async () => {
    const { key, upstream } = createWatch("key", "a");
    const watch = key();
    const first = watch.next();
    const { sink } = upstream();
    sink.snapshot([pair("a", 1)]);
    expect((await first).value?.revision).toBe(1n);
    for (let revision = 2; revision <= changes; revision++) sink.changes([{ type: "put", pair: pair("a", revision) }]);
    const seen: bigint[] = [];
    while (seen.at(-1) !== BigInt(changes)) seen.push((await watch.next()).value!.revision);
    expect(seen.length).toBeLessThanOrEqual(512);
    expect(seen, "never backwards, never twice").toEqual([...new Set(seen)].sort((a, b) => Number(a - b)));
    await watch.return();
  });

  it("sees nothing of keys that came and went meanwhile, once there are many", async () => {
    const { tree, upstream } = createWatch();
    const watch = tree();
    const first = watch.next();
    const { sink } = upstream();
    sink.snapshot([pair("stays", 1)]);
    await first;
    for (let revision = 2; revision < 20_000; revision += 2) {
      sink.changes([{ type: "put", pair: pair(`passing${revision}`, revision) }]);
      sink.changes([{ type: "delete", key: `passing${revision}`, revision: BigInt(revision + 1) }]);
    }
    const { value } = await watch.next();
    expect(value!.changes.length).toBeLessThanOrEqual(512);
    expect(value!.pairs.map((each) => each.key)).toEqual(["stays"]);
    await watch.return();
  });

  it("that keeps up sees every change", async () => {
    const { tree, upstream } = createWatch();
    const watch = tree();
    const first = watch.next();
    upstream().sink.snapshot([]);
    await first;
    const seen: string[] = [];
    for (let revision = 1; revision <= 100; revision++) {
      upstream().sink.changes([{ type: "put", pair: pair("a", revision) }]);
      if (revision % 10 === 0) seen.push(...shown((await watch.next()).value!).split(" "));
    }
    expect(seen).toHaveLength(100);
    await watch.return();
  });
});
