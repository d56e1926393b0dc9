import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/core/errors.js";
import { settle } from "./support/manual-clock.js";
import { createWatch, pair, shown } from "./support/watching.js";

/** Takes items until there is none for now. */
function collect(iterator: ReturnType<ReturnType<typeof createWatch>["tree"]>): string[] {
  const items: string[] = [];
  void (async () => {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) return;
      items.push(shown(value));
    }
  })();
  return items;
}

describe("the first item", () => {
  it("waits for the snapshot, and is the whole tree", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    upstream().sink.changes([{ type: "put", pair: pair("c", 3) }]);
    await settle();
    expect(items).toEqual([]);
    upstream().sink.snapshot([pair("b", 2), pair("a", 1), pair("c", 3)]);
    await settle();
    expect(items).toEqual(["+a@1 +b@2 +c@3"]);
  });

  it("of an empty tree is empty, and comes all the same", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    upstream().sink.snapshot([]);
    await settle();
    expect(items).toEqual([""]);
  });

  it("of one who comes later is of a moment after his coming", async () => {
    const { tree, upstream, driver } = createWatch();
    const first = collect(tree());
    upstream().sink.snapshot([pair("a", 1)]);
    await settle();
    const late = collect(tree());
    expect(driver.watches, "they share one upstream watch").toHaveLength(1);
    expect(upstream().refreshes).toBe(1);
    await settle();
    expect(late, "what the first one knows may be older than a write the second one made").toEqual([]);
    upstream().sink.snapshot([pair("a", 1), pair("b", 2)]);
    await settle();
    expect(late).toEqual(["+a@1 +b@2"]);
    expect(first).toEqual(["+a@1", "+b@2"]);
  });

  it("of one who comes while a snapshot is on its way is of another snapshot", async () => {
    const { tree, upstream } = createWatch();
    collect(tree());
    const late = collect(tree());
    expect(upstream().refreshes).toBe(0);
    upstream().sink.snapshot([pair("a", 1)]);
    await settle();
    expect(late).toEqual([]);
    expect(upstream().refreshes).toBe(1);
    const later = collect(tree());
    upstream().sink.snapshot([pair("a", 2)]);
    await settle();
    expect(late).toEqual(["+a@2"]);
    expect(later).toEqual([]);
    expect(upstream().refreshes).toBe(2);
    upstream().sink.snapshot([pair("a", 2)]);
    await settle();
    expect(later).toEqual(["+a@2"]);
  });
});

describe("a re-list", () => {
  it("gives the difference: changed, gone, new, each with what was before", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    upstream().sink.snapshot([pair("a", 1), pair("b", 2), pair("c", 3)]);
    upstream().sink.snapshot([pair("a", 1), pair("b", 5), pair("d", 4)]);
    await settle();
    expect(items[0]).toBe("+a@1 +b@2 +c@3");
    expect(items.slice(1).join(" ")).toBe("+b@5[b@2] +d@4 -c[c@3]");
  });

  it("with nothing new gives nothing", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    for (let times = 0; times < 3; times++) upstream().sink.snapshot([pair("a", 1)]);
    await settle();
    expect(items).toEqual(["+a@1"]);
  });

  it("of a server that came back empty and counts from one again is taken as it is", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    upstream().sink.snapshot([pair("a", 900), pair("b", 901)]);
    upstream().sink.snapshot([]);
    upstream().sink.changes([{ type: "put", pair: pair("a", 1) }]);
    await settle();
    expect(items.join(" ")).toBe("+a@900 +b@901 -a[a@900] -b[b@901] +a@1");
    upstream().sink.snapshot([pair("a", 1, "other")]);
    await settle();
    expect(items.at(-1), "the same revision of another life").toBe("+other[a@1]");
    upstream().sink.changes([{ type: "put", pair: pair("a", 2) }]);
    await settle();
    expect(items.at(-1)).toBe("+a@2[other]");
  });
});

describe("changes", () => {
  it("that were seen already are dropped: older puts, the same puts, older deletes", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    const { sink } = upstream();
    sink.snapshot([pair("a", 5)]);
    sink.changes([{ type: "put", pair: pair("a", 4) }]);
    sink.changes([{ type: "put", pair: pair("a", 5) }]);
    sink.changes([{ type: "delete", key: "a", revision: 4n }]);
    sink.changes([{ type: "delete", key: "never there", revision: 9n }]);
    await settle();
    expect(items).toEqual(["+a@5"]);
    sink.changes([{ type: "put", pair: pair("a", 6) }]);
    sink.changes([{ type: "put", pair: pair("a", 6) }]);
    await settle();
    expect(items).toEqual(["+a@5", "+a@6[a@5]"]);
  });

  it("of a key that was deleted and put again come both", async () => {
    const { tree, upstream } = createWatch();
    const items = collect(tree());
    upstream().sink.snapshot([pair("a", 1)]);
    upstream().sink.changes([
      { type: "delete", key: "a", revision: 2n },
      { type: "put", pair: pair("a", 3) },
    ]);
    await settle();
    expect(items.join(" ")).toBe("+a@1 -a[a@1] +a@3");
  });
});

describe("the end", () => {
  it("of the last watcher closes the upstream watch; of another one it does not", async () => {
    const { tree, upstream, events } = createWatch();
    const [first, second] = [tree(), tree()];
    const items = [first.next(), second.next()];
    upstream().sink.snapshot([]);
    upstream().sink.snapshot([]);
    await Promise.all(items);
    await first.return();
    expect(upstream().closed).toBe(false);
    await second.return();
    expect(upstream().closed).toBe(true);
    expect(events.at(-1)).toBe("ended 0");
  });

  it("by a permanent error throws it to everybody, those who wait for a snapshot too", async () => {
    const { tree, upstream } = createWatch();
    const running = tree();
    const first = running.next();
    upstream().sink.snapshot([]);
    await first;
    const waiting = tree();
    const error = new StoreError("PERMISSION_DENIED", "not any more");
    const ends = Promise.allSettled([running.next(), waiting.next()]);
    upstream().sink.fail(error);
    expect(await ends).toEqual([
      { status: "rejected", reason: error },
      { status: "rejected", reason: error },
    ]);
    expect(upstream().closed).toBe(true);
    expect(await running.next(), "once").toEqual({ done: true, value: undefined });
  });

  it("by an error while nobody waits is thrown at the next item, once", async () => {
    const { tree, upstream } = createWatch();
    const watch = tree();
    const first = watch.next();
    upstream().sink.snapshot([]);
    await first;
    const error = new StoreError("PERMISSION_DENIED", "not any more");
    upstream().sink.fail(error);
    await expect(watch.next()).rejects.toBe(error);
    expect(await watch.next()).toEqual({ done: true, value: undefined });
  });

  it("a driver that reports after the end is not listened to", async () => {
    const { tree, upstream, events } = createWatch();
    const watch = tree();
    const next = watch.next();
    await watch.return();
    expect(await next).toEqual({ done: true, value: undefined });
    const told = events.length;
    upstream().sink.snapshot([pair("a", 1)]);
    upstream().sink.changes([{ type: "put", pair: pair("a", 2) }]);
    expect(events).toHaveLength(told);
  });
});
