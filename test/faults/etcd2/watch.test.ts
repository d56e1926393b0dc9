import { expect } from "vitest";
import type { TreeChange } from "../../../src/core/store.js";
import { itemsUntil } from "../support/calls.js";
import { missesNothingThroughCuts } from "../support/cuts.js";
import { it, withRig } from "./support.js";

/** `type key` of each change, in order. */
function told(items: readonly TreeChange[]): string[] {
  return items.flatMap((item) => item.changes.map(({ type, key }) => `${type} ${key}`));
}

it("watches go on after their connection was cut, and miss nothing", () =>
  withRig(async (rig) => missesNothingThroughCuts(await rig.open(), await rig.openDirect(), rig.proxy)));

it("more than the server remembers while the watch was cut: the difference is told, and the watch goes on", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    for (const key of ["changed", "deleted", "kept"]) await direct.put(`d/${key}`, "1");
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    expect((await tree.next()).value.pairs.length).toBe(3);
    rig.proxy.refuse();
    rig.proxy.cut();
    await direct.put("d/changed", "2");
    await direct.put("d/passing", "1");
    await direct.delete("d/passing");
    await direct.delete("d/deleted");
    await direct.put("d/added", "1");
    for (let n = 0; n < 1_100; n += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, at) => direct.put(`elsewhere/${at}`, String(n))));
    }
    await rig.proxy.accept();
    const items = await itemsUntil(tree, ({ changes }) => changes.some(({ type }) => type === "delete"));
    expect(told(items).sort()).toEqual(["delete d/deleted", "put d/added", "put d/changed"]);
    await direct.put("d/after", "1");
    expect(told([(await tree.next()).value])).toEqual(["put d/after"]);
    await tree.return?.();
  }));

it("more than the server remembers while nothing happened in the tree: the watch reads it again and goes on", () =>
  withRig(async (rig) => {
    // The check ends the poll; the next one's index is then forgotten, which the server answers with code 401.
    const store = await rig.open({ watchCheckMs: 1_000 });
    const direct = await rig.openDirect();
    await direct.put("d/quiet", "1");
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    await tree.next();
    for (let n = 0; n < 1_100; n += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, at) => direct.put(`elsewhere/${at}`, String(n))));
    }
    const polls = rig.proxy.count.requests;
    // The end of the poll, a ping, the poll that is refused, the read, the next poll.
    await expect.poll(() => rig.proxy.count.requests, { timeout: 10_000 }).toBeGreaterThanOrEqual(polls + 4);
    await direct.delete("d/quiet");
    expect(told([(await tree.next()).value])).toEqual(["delete d/quiet"]);
    await tree.return?.();
  }));

it("a burst that the polls cannot follow: the latest state of every key arrives", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const tree = store.watchTree("b")[Symbol.asyncIterator]();
    await tree.next();
    rig.proxy.delay(20);
    for (let round = 0; round < 60; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, at) => direct.put(`b/${at}`, String(round))));
    }
    await direct.deleteTree("b");
    await direct.put("b/end", "1");
    const items = await itemsUntil(tree, ({ pairs }) => pairs.length === 1 && pairs[0]!.key === "b/end");
    expect(told(items).filter((change) => change === "delete b/7").length).toBeGreaterThan(0);
    await tree.return?.();
  }));

it("one event for a whole directory is told key by key, to watches of a key, of the tree and of a tree within", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    for (const key of ["top/d/a", "top/d/sub/b", "top/d/sub/c", "top/dd", "top/x"]) await store.put(key, "1");
    const all = store.watchTree("")[Symbol.asyncIterator]();
    const within = store.watchTree("top/d/sub")[Symbol.asyncIterator]();
    const key = store.watch("top/d/a")[Symbol.asyncIterator]();
    // A key whose name starts like the directory's is not in it.
    const beside = store.watch("top/dd")[Symbol.asyncIterator]();
    await Promise.all([all.next(), within.next(), key.next(), beside.next()]);
    expect((await rig.ask("DELETE", "/top/d?recursive=true")).status).toBe(200);
    const gone = ["delete top/d/a", "delete top/d/sub/b", "delete top/d/sub/c"];
    expect(told(await itemsUntil(all, ({ pairs }) => pairs.length === 2)).sort()).toEqual(gone);
    expect(told(await itemsUntil(within, ({ pairs }) => pairs.length === 0)).sort()).toEqual(gone.slice(1));
    expect((await key.next()).value).toBeUndefined();
    await store.put("top/dd", "2");
    expect((await beside.next()).value?.text()).toBe("2");
    // A directory that takes a key's place ends the key, and one with a ttl takes all that is in it along.
    expect((await rig.ask("PUT", "/top/x?dir=true")).status).toBe(200);
    await itemsUntil(all, ({ changes }) =>
      changes.some(({ type, key: name }) => type === "delete" && name === "top/x"),
    );
    await store.put("top/x/y", "1");
    expect((await rig.ask("PUT", "/top/x?dir=true&prevExist=true&ttl=1")).status).toBe(200);
    const last = await itemsUntil(all, ({ changes }) => changes.some(({ type }) => type === "delete"));
    expect(told(last)).toEqual(["put top/dd", "put top/x/y", "delete top/x/y"].slice(3 - told(last).length));
    await Promise.all([all.return?.(), within.return?.(), key.return?.(), beside.return?.()]);
  }));

it("500 watches of sibling keys share a few connections, and each change arrives", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const keys = Array.from({ length: 500 }, (_, at) => `service/${at}`);
    const watches = keys.map((key) => store.watch(key)[Symbol.asyncIterator]());
    for (const { value } of await Promise.all(watches.map((watch) => watch.next()))) expect(value).toBeUndefined();
    await expect.poll(() => rig.watchers()).toBe(5);
    const changes = watches.map((watch) => watch.next());
    await Promise.all(keys.map((key) => direct.put(key, `of ${key}`)));
    for (const [at, { value }] of (await Promise.all(changes)).entries()) expect(value?.text()).toBe(`of ${keys[at]}`);
    const gone = watches.map((watch) => watch.next());
    await direct.deleteTree("service");
    for (const { value } of await Promise.all(gone)) expect(value).toBeUndefined();
    await Promise.all(watches.map((watch) => watch.return!()));
    await expect.poll(() => rig.watchers()).toBe(0);
  }));
