import assert from "node:assert/strict";
import { hasText, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { putAll, putBeside } from "../steps.js";

export const deleteTree: CaseGroup = {
  name: "deleteTree",
  cases: {
    "deletes all below and tells how many": async ({ store }) => {
      await putAll(store, ["d/1", "d/2", "d/sub/1", "d/sub/deep/1", "e/1"]);
      assert.equal(await store.deleteTree("d"), 4);
      assert.deepEqual(await store.keys(""), ["e/1"]);
      assert.equal(await store.deleteTree("d"), 0);
    },
    "leaves the key of that name and its siblings": async ({ store, capabilities }) => {
      await putAll(store, ["d/1", "d-x/1", "d0", "dd/1"]);
      const beside = await putBeside(store, capabilities, "d", "itself");
      assert.equal(await store.deleteTree("/d/"), 1);
      assert.deepEqual(await store.keys(""), [...(beside ? ["d"] : []), "d-x/1", "d0", "dd/1"]);
      if (beside) hasText(await store.get("d"), "itself");
    },
    "deletes nothing where there is a plain key only": async ({ store }) => {
      await store.put("plain", "1");
      assert.equal(await store.deleteTree("plain"), 0);
      hasText(await store.get("plain"), "1");
      assert.equal(await store.deleteTree("absent"), 0);
    },
    "refuses the root unless told": async ({ store }) => {
      await putAll(store, ["a", "b/1"]);
      for (const root of ["", "/", "//"]) await rejects(() => store.deleteTree(root), "INVALID_ARGUMENT");
      await rejects(() => store.deleteTree("", { root: false }), "INVALID_ARGUMENT");
      assert.deepEqual(await store.keys(""), ["a", "b/1"]);
      assert.equal(await store.deleteTree("", { root: true }), 2);
      assert.deepEqual(await store.keys(""), []);
    },
    "leaves a store that works": async ({ store }) => {
      await putAll(store, ["d/1", "d/sub/1"]);
      await store.deleteTree("", { root: true });
      await store.put("d/1", "again");
      hasText(await store.get("d/1"), "again");
      assert.equal(await store.deleteTree("d"), 1);
    },
    "keeps its place among writes of the same store": async ({ store }) => {
      await store.put("d/0", "before");
      const deleted = store.deleteTree("d");
      const after = store.put("d/1", "after");
      const [count] = await Promise.all([deleted, after]);
      assert.equal(count, 1);
      assert.deepEqual(await store.keys("d"), ["d/1"]);
      const puts = ["1", "2", "3"].map((value) => store.put("d/2", value));
      const deletedLater = store.deleteTree("d");
      await Promise.all([...puts, deletedLater]);
      assert.equal(await deletedLater, 2);
      assert.deepEqual(await store.keys("d"), []);
    },
  },
};
