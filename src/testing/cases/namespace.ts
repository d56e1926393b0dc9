import assert from "node:assert/strict";
import { hasText, isSettled, names, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { nextItem, putAll } from "../steps.js";

export const namespace: CaseGroup = {
  name: "namespace",
  cases: {
    "is the same data under a prefix": async ({ store, capabilities }) => {
      const inner = store.namespace("/team//a/");
      assert.equal(inner.backend, store.backend);
      assert.deepEqual(inner.capabilities, capabilities);
      assert.equal(inner.state, "connected");
      const pair = await inner.put("k", "1");
      assert.equal(pair.key, "k");
      const outside = hasText(await store.get("team/a/k"), "1");
      assert.equal(outside.revision, pair.revision);
      await store.put("team/a/k", "2");
      hasText(await inner.get("k"), "2");
      assert.equal(await inner.delete("k"), true);
      assert.equal(await store.exists("team/a/k"), false);
    },
    "sees nothing outside": async ({ store }) => {
      const inner = store.namespace("ns");
      await putAll(store, ["k", "nsk", "ns-x/k", "other/k", "ns/inside"]);
      assert.equal(await inner.get("k"), undefined);
      assert.deepEqual(await inner.keys(""), ["inside"]);
      assert.equal(await inner.deleteTree("", { root: true }), 1);
      assert.deepEqual(await store.keys(""), ["k", "ns-x/k", "nsk", "other/k"]);
      await rejects(() => inner.get("../k"), "INVALID_KEY");
    },
    "strips the prefix from every key it gives": async (context) => {
      const { store } = context;
      const inner = store.namespace("a/b");
      await inner.put("d/1", "1");
      await inner.put("d/sub/2", "2");
      assert.deepEqual(names(await inner.list("d")), ["d/1", "d/sub/2"]);
      assert.deepEqual(await inner.keys(""), ["d/1", "d/sub/2"]);
      assert.deepEqual(await inner.keys("d", { depth: 1 }), ["d/1", "d/sub/"]);
      for await (const pair of inner.scan("d", { limit: 1 })) assert.equal(pair.key, "d/1");
      assert.equal((await inner.update("d/1", () => undefined))?.key, "d/1");
      assert.equal((await inner.atomicPut("d/3", "3", undefined)).key, "d/3");
      assert.deepEqual(names(await inner.atomic().put("d/4", "4").commit()), ["d/4"]);
      const watching = inner.watch("d/1")[Symbol.asyncIterator]();
      assert.equal((await nextItem(context, watching, "the key"))?.key, "d/1");
      await watching.return?.();
      const tree = inner.watchTree("d")[Symbol.asyncIterator]();
      const first = await nextItem(context, tree, "the tree");
      assert.deepEqual(names(first.pairs), ["d/1", "d/3", "d/4", "d/sub/2"]);
      assert.deepEqual(new Set(first.changes.map((change) => change.key)), new Set(["d/1", "d/3", "d/4", "d/sub/2"]));
      await inner.delete("d/4");
      const [change] = (await nextItem(context, tree, "the deletion")).changes;
      assert.equal(change?.key, "d/4");
      assert.equal(change.previous?.key, "d/4");
      await tree.return?.();
    },
    "errors name the key as the caller knows it": async ({ store }) => {
      const inner = store.namespace("a/b");
      const pair = await inner.put("k", "1");
      await inner.put("k", "2");
      await rejects(() => inner.atomicPut("k", "3", pair), { code: "KEY_MODIFIED", key: "k" });
      await rejects(async () => inner.atomic().check("k", pair).put("k", "1").commit(), {
        code: "KEY_MODIFIED",
        key: "k",
      });
    },
    nests: async ({ store }) => {
      const inner = store.namespace("a").namespace("b/c");
      await inner.put("k", "1");
      hasText(await store.get("a/b/c/k"), "1");
      hasText(await store.namespace("a/b").get("c/k"), "1");
      assert.deepEqual(await inner.keys(""), ["k"]);
    },
    "compares and sets": async ({ store }) => {
      const inner = store.namespace("ns");
      const pair = await inner.put("k", "1");
      const second = await inner.atomicPut("k", "2", pair);
      await rejects(() => inner.atomicPut("k", "3", pair), "KEY_MODIFIED");
      const outside = (await store.get("ns/k"))!;
      await rejects(() => inner.atomicPut("k", "3", outside), "INVALID_ARGUMENT");
      await store.atomicPut("ns/k", "3", { revision: second.revision });
      hasText(await inner.get("k"), "3");
      await rejects(() => inner.atomicPut("k", "4", undefined), "KEY_EXISTS");
    },
    "locks meet those of the whole store": async ({ store, within }) => {
      const inner = store.namespace("ns");
      const lock = inner.newLock("k", { value: "inner" });
      assert.equal(lock.key, "k");
      const hold = await lock.lock();
      assert.equal(hold.key, "k");
      hasText(await store.get("ns/k"), "inner");
      assert.equal(await store.newLock("ns/k").tryLock(), undefined);
      const waiting = store.newLock("ns/k").lock();
      await hold.unlock();
      await (await within(waiting, "the lock of the whole store")).unlock();
    },
    "close() ends only what it opened": async (context) => {
      const { store, within } = context;
      const [inner, neighbour] = [store.namespace("ns"), store.namespace("ns")];
      const watches = [inner, neighbour].map((each) => each.watch("k")[Symbol.asyncIterator]());
      const outside = store.watch("ns/k")[Symbol.asyncIterator]();
      for (const each of [...watches, outside]) await nextItem(context, each, "absence");
      const innerHold = await inner.newLock("lock").lock();
      const outerHold = await store.newLock("other-lock").lock();
      const [ended, goesOn, goesOnOutside] = [...watches, outside].map((each) => each.next());
      await inner.close();
      assert.equal(inner.state, "closed");
      assert.equal(store.state, "connected");
      assert.equal((await within(ended!, "the end of the namespace's watch")).done, true);
      assert.equal(innerHold.held, false);
      assert.equal(
        (innerHold.signal.reason as { code?: string } | undefined)?.code,
        "LOCK_LOST",
        "the holder was not told",
      );
      assert.equal(outerHold.held, true);
      await rejects(() => inner.get("k"), "CLOSED");
      await rejects(() => inner.put("k", "1"), "CLOSED");
      assert.equal(await isSettled(goesOn!), false);
      await store.put("ns/k", "still open");
      hasText((await within(goesOn!, "the neighbour's watch")).value, "still open");
      hasText((await within(goesOnOutside!, "the store's watch")).value, "still open");
      const again = await store.newLock("ns/lock").tryLock();
      assert.ok(again !== undefined, "the closed namespace still holds its lock");
      await Promise.all([again.unlock(), outerHold.unlock()]);
      hasText(await store.namespace("ns").get("k"), "still open");
      for (const each of [watches[1]!, outside]) await each.return?.();
    },
    "ends with its store": async (context) => {
      const { another, within } = context;
      const store = await another();
      const inner = store.namespace("ns");
      const watching = inner.watch("k")[Symbol.asyncIterator]();
      await nextItem(context, watching, "absence");
      const pending = watching.next();
      await store.close();
      assert.equal((await within(pending, "the end of the watch")).done, true);
      assert.equal(inner.state, "closed");
      await rejects(() => inner.get("k"), "CLOSED");
      await inner.close();
    },
    "refuses a bad prefix": async ({ store }) => {
      await rejects(async () => store.namespace("a/../b").get("k"), "INVALID_KEY");
      await rejects(async () => store.namespace("a\n").get("k"), "INVALID_KEY");
      await rejects(async () => store.namespace("a___lock").get("k"), "INVALID_KEY");
    },
  },
};
