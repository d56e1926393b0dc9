import assert from "node:assert/strict";
import type { CaseGroup } from "../case.js";

export const exists: CaseGroup = {
  name: "exists",
  cases: {
    "tells whether a key is there": async ({ store }) => {
      assert.equal(await store.exists("k"), false);
      await store.put("k", "1");
      assert.equal(await store.exists("k"), true);
      await store.delete("k");
      assert.equal(await store.exists("k"), false);
    },
    "is true for an empty value": async ({ store }) => {
      await store.put("k", "");
      assert.equal(await store.exists("k"), true);
    },
    "is false for a directory that is no key": async ({ store }) => {
      await store.put("dir/key", "1");
      assert.equal(await store.exists("dir"), false);
      assert.equal(await store.exists("dir/key"), true);
      assert.equal(await store.exists("di"), false);
    },
    "sees another store's write": async ({ store, another }) => {
      const other = await another();
      await other.put("k", "1");
      assert.equal(await store.exists("k"), true);
    },
  },
};
