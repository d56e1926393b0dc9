import { describe, expect, it } from "vitest";
import { Batcher } from "../../../src/core/batcher.js";
import type { BatchLimits } from "../../../src/core/driver.js";
import { createDeferred } from "../../../src/util/deferred.js";
import { settle } from "./support/manual-clock.js";

/** A batcher of strings that weigh their length, and the batches that it sent; each ends when the test says so. */
function create(limits: Partial<BatchLimits> = {}) {
  const batches: string[] = [];
  const ends: (() => void)[] = [];
  const dead = new Set<string>();
  const batcher = new Batcher<string>({
    limits: { maxOperations: 3, maxBytes: 100, concurrency: 2, ...limits },
    weigh: (item) => item.length,
    isLive: (item) => !dead.has(item),
    run: (items) => {
      const over = createDeferred<void>();
      batches.push(items.join(" "));
      ends.push(() => over.resolve());
      return over.promise;
    },
  });
  const add = (...items: string[]): void => {
    for (const item of items) batcher.add(item);
  };
  const end = async (batch: number): Promise<void> => {
    ends[batch]!();
    await settle();
  };
  return { batcher, batches, dead, add, end };
}

describe("natural batching", () => {
  it("sends nothing before the turn ends, and then what was called in it together", async () => {
    const { batches, add } = create();
    add("a", "b");
    expect(batches).toEqual([]);
    await settle();
    expect(batches).toEqual(["a b"]);
  });

  it("keeps back what comes while a batch is in flight, and sends it together when the slot frees", async () => {
    const { batches, add, end } = create();
    add("a");
    await settle();
    add("b");
    await settle();
    add("c");
    await settle();
    expect(batches).toEqual(["a"]);
    await end(0);
    expect(batches).toEqual(["a", "b c"]);
  });

  it("sends a full batch at once through another slot, and no more batches than there are slots", async () => {
    const { batches, add, end } = create();
    add("a");
    await settle();
    add("b", "c", "d", "e", "f", "g", "h");
    await settle();
    expect(batches).toEqual(["a", "b c d"]);
    await end(1);
    expect(batches).toEqual(["a", "b c d", "e f g"]);
    await end(0);
    expect(batches, "one batch in flight: what is left is not full").toHaveLength(3);
    await end(2);
    expect(batches).toEqual(["a", "b c d", "e f g", "h"]);
  });

  describe("where enough come whenever a batch is answered", () => {
    it("sends so many through another slot, and twice as many as two, once the first has gone whole", async () => {
      const { batches, add, end } = create({ maxOperations: 8, enough: 2, concurrency: 3 });
      add("a", "b", "c", "d");
      await settle();
      expect(batches).toEqual(["a b c d"]);
      add("e", "f", "g", "h");
      await end(0);
      expect(batches).toEqual(["a b c d", "e f", "g h"]);
      add("i");
      await end(1);
      expect(batches, "one is not enough").toHaveLength(3);
      add("j", "k");
      await end(2);
      expect(batches).toEqual(["a b c d", "e f", "g h", "i j k"]);
      add("l", "m");
      await settle();
      expect(batches, "no answer is waited for").toHaveLength(5);
    });

    it("makes no more batches than it must of more than two", async () => {
      const { batches, add, end } = create({ maxOperations: 5, enough: 2, concurrency: 4 });
      add("a");
      await settle();
      add("b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l");
      await end(0);
      expect(batches).toEqual(["a", "b c d e", "f g h i", "j k l"]);
    });

    it("sends what was left over whole, as nobody came for it", async () => {
      const { batches, add, end } = create({ maxOperations: 5, enough: 2, concurrency: 2 });
      add("a", "b", "c", "d", "e", "f", "g", "h", "i");
      await settle();
      expect(batches).toEqual(["a b c d e"]);
      await end(0);
      expect(batches).toEqual(["a b c d e", "f g h i"]);
    });

    it("is never enough with more than a full batch", async () => {
      const { batches, add, end } = create({ maxOperations: 2, enough: 3, concurrency: 2 });
      add("a");
      await settle();
      add("b", "c", "d");
      await end(0);
      expect(batches).toEqual(["a", "b c"]);
    });
  });

  it("counts bytes: a batch stays below the limit, and items that reach it do not wait", async () => {
    const { batches, add } = create({ maxBytes: 10, maxOperations: 100, concurrency: 3 });
    add("a".repeat(6), "b".repeat(6), "c".repeat(3), "d");
    await settle();
    expect(batches[0]).toBe("aaaaaa");
    expect(batches[1], "ten bytes waited").toBe("bbbbbb ccc d");
  });

  it("sends an item above the limit alone", async () => {
    const { batches, add, end } = create({ maxBytes: 10, concurrency: 1 });
    add("x".repeat(50), "y");
    await settle();
    expect(batches).toEqual(["x".repeat(50)]);
    await end(0);
    expect(batches[1]).toBe("y");
  });
});

describe("holding back", () => {
  it("sends nothing while paused, and everything by resume()", async () => {
    const { batcher, batches, add, end } = create();
    batcher.pause();
    add("a", "b");
    await settle();
    expect(batches).toEqual([]);
    batcher.resume();
    expect(batches).toEqual(["a b"]);
    await end(0);
    expect(batches).toHaveLength(1);
  });

  it("pauses what was to leave at the end of this turn", async () => {
    const { batcher, batches, add } = create();
    add("a");
    batcher.pause();
    await settle();
    expect(batches).toEqual([]);
    batcher.resume();
    expect(batches).toEqual(["a"]);
  });

  it("a slot that frees while paused sends nothing", async () => {
    const { batcher, batches, add, end } = create();
    add("a");
    await settle();
    batcher.pause();
    add("b");
    await end(0);
    expect(batches).toEqual(["a"]);
    batcher.resume();
    expect(batches).toEqual(["a", "b"]);
  });
});

describe("items that nobody waits for", () => {
  it("drops them unsent, their places for others", async () => {
    const { batches, dead, add, end } = create();
    add("a");
    await settle();
    add("b", "c", "d", "e");
    dead.add("b").add("c");
    await settle();
    expect(batches, "the two dead ones counted for a full batch, but did not leave in it").toEqual(["a", "d e"]);
    await end(0);
    await end(1);
    expect(batches).toHaveLength(2);
  });

  it("sends no empty batch when all of them are gone", async () => {
    const { batches, dead, add, end } = create();
    add("a");
    await settle();
    add("b");
    dead.add("b");
    await end(0);
    expect(batches).toEqual(["a"]);
    add("c");
    await settle();
    expect(batches).toEqual(["a", "c"]);
  });

  it("remove() takes an item and its bytes back", async () => {
    const { batcher, batches, add, end } = create({ maxBytes: 10, concurrency: 2 });
    add("a");
    await settle();
    add("b".repeat(9));
    batcher.remove("b".repeat(9));
    add("c".repeat(9));
    await settle();
    expect(batches, "nine bytes are not a full batch").toEqual(["a"]);
    await end(0);
    expect(batches[1]).toBe("c".repeat(9));
  });
});
