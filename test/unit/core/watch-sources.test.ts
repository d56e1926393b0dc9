import { describe, expect, it } from "vitest";
import type { TreeChange } from "../../../src/core/store.js";
import { createWatch, pair, shown } from "./support/watching.js";

/** A tree watch that has had its first item. */
async function begun(...keys: string[]) {
  const watching = createWatch();
  const watch = watching.tree();
  const next = watch.next();
  const { sink } = watching.upstream();
  sink.snapshot(keys.map((key, at) => pair(key, at + 1)));
  const first = (await next).value as TreeChange;
  const put = (key: string, revision: number): void => sink.changes([{ type: "put", pair: pair(key, revision) }]);
  const take = async (): Promise<TreeChange> => (await watch.next()).value as TreeChange;
  return { ...watching, watch, first, put, take, sink };
}

const keysOf = ({ pairs }: TreeChange): string[] => pairs.map(({ key }) => key);

describe("pairs of a tree's item", () => {
  it("are the tree at that item, though changes have come since", async () => {
    const { first, put, take } = await begun("b", "a");
    put("c", 3);
    expect(keysOf(first)).toEqual(["a", "b"]);
    const second = await take();
    put("d", 4);
    expect(shown(second)).toBe("+c@3");
    expect(keysOf(second)).toEqual(["a", "b", "c"]);
    expect(shown(await take())).toBe("+d@4");
  });

  it("know what was deleted and changed since, as it was", async () => {
    const { first, sink } = await begun("a", "b");
    sink.changes([
      { type: "delete", key: "a", revision: 8n },
      { type: "put", pair: pair("b", 9) },
    ]);
    expect(first.pairs.map((each) => each.text())).toEqual(["a@1", "b@2"]);
  });

  it("cannot be read first after the next item was asked for, and say so", async () => {
    const { first, put, take } = await begun("a");
    put("b", 2);
    await take();
    expect(() => first.pairs).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });

  it("that were read in time stay as they were", async () => {
    const { first, put, take } = await begun("a");
    const read = first.pairs;
    put("b", 2);
    await take();
    expect(first.pairs).toBe(read);
    expect(keysOf(first)).toEqual(["a"]);
  });

  it("of the last item can be read after the loop was left", async () => {
    const { first, watch, put } = await begun("a");
    await watch.return();
    put("b", 2);
    expect(keysOf(first)).toEqual(["a"]);
  });

  it("are sorted by the bytes of their keys", async () => {
    const { first } = await begun("b", "\u{10000}", "\uffe0", "a");
    expect(keysOf(first)).toEqual(["a", "b", "\uffe0", "\u{10000}"]);
  });
});

describe("bytes", () => {
  it("that a watcher was given are its own: changing them changes nobody else's", async () => {
    const { tree, key, sink, first } = await begun("a");
    first.pairs[0]!.value.fill(0);
    const change = first.changes[0];
    expect(change?.type === "put" && change.pair.text()).toBe("a@1");
    if (change?.type === "put") change.pair.value.fill(0);
    const other = tree();
    const item = other.next();
    sink.snapshot([pair("a", 1)]);
    expect(shown((await item).value!)).toBe("+a@1");
    const single = key();
    const state = single.next();
    sink.snapshot([pair("a", 1)]);
    expect((await state).value?.text()).toBe("a@1");
    await other.return();
    await single.return();
  });
});

describe("a key's watch", () => {
  it("begins with the state of its beginning, though changes came before it was asked", async () => {
    const { key, sink, watch } = await begun("a");
    const single = key();
    const first = single.next();
    sink.snapshot([pair("a", 1)]);
    sink.changes([{ type: "put", pair: pair("a", 2) }]);
    expect((await first).value?.revision).toBe(1n);
    expect((await single.next()).value?.revision).toBe(2n);
    sink.changes([{ type: "delete", key: "a", revision: 3n }]);
    expect(await single.next()).toEqual({ done: false, value: undefined });
    await single.return();
    await watch.return();
  });
});
