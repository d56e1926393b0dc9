import assert from "node:assert/strict";
import { byBytes, lines, names } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { putAll, putBeside, putIfTaken } from "../steps.js";

const tree = ["a/1", "a/2", "a/b/1", "a/b/c/1", "ab/1", "b"];

export const list: CaseGroup = {
  name: "list",
  cases: {
    "gives all pairs below a directory, in order": async ({ store }) => {
      await putAll(store, tree.toReversed());
      assert.deepEqual(lines(await store.list("a")), ["a/1=a/1", "a/2=a/2", "a/b/1=a/b/1", "a/b/c/1=a/b/c/1"]);
      assert.deepEqual(lines(await store.list("a/b")), ["a/b/1=a/b/1", "a/b/c/1=a/b/c/1"]);
    },
    "gives everything for the root": async ({ store }) => {
      await putAll(store, tree);
      assert.deepEqual(names(await store.list("")), tree);
      assert.deepEqual(names(await store.list("/")), tree);
    },
    "gives nothing for an absent directory": async ({ store }) => {
      assert.deepEqual(await store.list(""), []);
      await store.put("dirty", "1");
      assert.deepEqual(await store.list("dir"), []);
      assert.deepEqual(await store.list("dirty"), []);
      assert.deepEqual(await store.list("dirty/deeper"), []);
    },
    "never gives the directory itself": async ({ store, capabilities }) => {
      await store.put("dir/k", "below");
      await putBeside(store, capabilities, "dir", "itself");
      assert.deepEqual(lines(await store.list("dir")), ["dir/k=below"]);
    },
    "never gives siblings whose names only start alike": async ({ store }) => {
      await putAll(store, ["dir/k", "dir-x/k", "dir.x", "dirX", "dir0", "dir!"]);
      assert.deepEqual(lines(await store.list("dir")), ["dir/k=dir/k"]);
    },
    "sorts by the bytes of the whole key": async ({ store, capabilities }) => {
      // "/" (2F) stands between "." and "0", so `a/x` comes after `a.x` and before `a0`.
      const keys = ["l/a0", "l/a", "l/a.x", "l/a-x", "l/A", "l/é", "l/z", "l/\uffe0", "l/\u{10000}", "l/日", "l/ b"];
      const taken: string[] = [];
      for (const key of keys) {
        if ((await putIfTaken(store, capabilities, key, "1")) !== undefined) taken.push(key);
      }
      if (await putBeside(store, capabilities, "l/a/x", "1")) taken.push("l/a/x");
      const sorted = taken.toSorted(byBytes);
      assert.deepEqual(names(await store.list("l")), sorted);
      assert.deepEqual(await store.keys(""), sorted);
    },
    "stops at the limit": async ({ store }) => {
      await putAll(store, tree);
      assert.deepEqual(names(await store.list("a", { limit: 2 })), ["a/1", "a/2"]);
      assert.deepEqual(names(await store.list("", { limit: 1 })), ["a/1"]);
      assert.equal((await store.list("a", { limit: 4 })).length, 4);
      assert.equal((await store.list("a", { limit: 100 })).length, 4);
    },
    "goes no deeper than the depth": async ({ store }) => {
      await putAll(store, tree);
      assert.deepEqual(names(await store.list("a", { depth: 1 })), ["a/1", "a/2"]);
      assert.deepEqual(names(await store.list("a", { depth: 2 })), ["a/1", "a/2", "a/b/1"]);
      assert.deepEqual(names(await store.list("", { depth: 1 })), ["b"]);
      assert.equal((await store.list("a", { depth: 10 })).length, 4);
    },
    "counts only what the depth leaves": async ({ store }) => {
      await putAll(store, ["d/a/1", "d/a/2", "d/b", "d/c/1", "d/d", "d/e"]);
      assert.deepEqual(names(await store.list("d", { depth: 1, limit: 2 })), ["d/b", "d/d"]);
    },
    "hands out bytes that are the caller's own": async ({ store }) => {
      await store.put("dir/k", "untouched");
      (await store.list("dir"))[0]!.value.fill(0);
      assert.deepEqual(lines(await store.list("dir")), ["dir/k=untouched"]);
      assert.equal((await store.get("dir/k"))?.text(), "untouched");
    },
    "gives thousands of keys": async ({ store }) => {
      const keys = Array.from({ length: 2_500 }, (_, at) => `large/${at}`);
      await Promise.all(keys.map((key) => store.put(key, key)));
      const listed = await store.list("large");
      assert.deepEqual(names(listed), keys.toSorted(byBytes));
      assert.ok(listed.every((pair) => pair.text() === pair.key));
      assert.deepEqual(await store.keys("large"), keys.toSorted(byBytes));
      assert.equal((await store.list("large", { limit: 1_001 })).length, 1_001);
      assert.equal(await store.deleteTree("large"), keys.length);
      assert.deepEqual(await store.list("large"), []);
    },
  },
};
