import assert from "node:assert/strict";
import type { CaseGroup } from "../case.js";
import { putAll, putBeside } from "../steps.js";

export const keys: CaseGroup = {
  name: "keys",
  cases: {
    "names what list gives": async ({ store }) => {
      await putAll(store, ["a/2", "a/1", "a/b/1", "ab/1", "b"]);
      assert.deepEqual(await store.keys("a"), ["a/1", "a/2", "a/b/1"]);
      assert.deepEqual(await store.keys(""), ["a/1", "a/2", "a/b/1", "ab/1", "b"]);
      assert.deepEqual(await store.keys("absent"), []);
    },
    "marks directories where the depth ends": async ({ store }) => {
      await putAll(store, ["a/1", "a/b/1", "a/b/2", "a/c/d/1", "ab", "b/1"]);
      assert.deepEqual(await store.keys("", { depth: 1 }), ["a/", "ab", "b/"]);
      assert.deepEqual(await store.keys("a", { depth: 1 }), ["a/1", "a/b/", "a/c/"]);
      assert.deepEqual(await store.keys("a", { depth: 2 }), ["a/1", "a/b/1", "a/b/2", "a/c/d/"]);
      assert.deepEqual(await store.keys("a", { depth: 9 }), ["a/1", "a/b/1", "a/b/2", "a/c/d/1"]);
    },
    "names a key and the directory of the same name": async ({ store, capabilities }) => {
      await store.put("config/host", "1");
      if (!(await putBeside(store, capabilities, "config", "1"))) return;
      await store.put("config-x", "1");
      await store.put("config0", "1");
      assert.deepEqual(await store.keys("", { depth: 1 }), ["config", "config-x", "config/", "config0"]);
    },
    "counts directories toward the limit, each once": async ({ store }) => {
      await putAll(store, ["d/a/1", "d/a/2", "d/a/3", "d/b", "d/c/1", "d/d"]);
      assert.deepEqual(await store.keys("d", { depth: 1, limit: 1 }), ["d/a/"]);
      assert.deepEqual(await store.keys("d", { depth: 1, limit: 3 }), ["d/a/", "d/b", "d/c/"]);
      assert.deepEqual(await store.keys("d", { limit: 2 }), ["d/a/1", "d/a/2"]);
    },
    "never names the directory itself": async ({ store, capabilities }) => {
      await store.put("dir/k", "1");
      await putBeside(store, capabilities, "dir", "1");
      assert.deepEqual(await store.keys("dir"), ["dir/k"]);
      assert.deepEqual(await store.keys("dir", { depth: 1 }), ["dir/k"]);
    },
  },
};
