import assert from "node:assert/strict";
import { hasText } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { putBeside } from "../steps.js";

export const deleteKey: CaseGroup = {
  name: "delete",
  cases: {
    "tells whether there was something": async ({ store }) => {
      await store.put("k", "1");
      assert.equal(await store.delete("k"), true);
      assert.equal(await store.delete("k"), false);
      assert.equal(await store.delete("never/there"), false);
    },
    "deletes a key with an empty value": async ({ store }) => {
      await store.put("k", "");
      assert.equal(await store.delete("k"), true);
      assert.equal(await store.exists("k"), false);
    },
    "is false for a directory and leaves what is below": async ({ store }) => {
      await store.put("dir/key", "1");
      assert.equal(await store.delete("dir"), false);
      hasText(await store.get("dir/key"), "1");
    },
    "leaves the keys below a key alone": async ({ store, capabilities }) => {
      await store.put("dir/key", "below");
      if (!(await putBeside(store, capabilities, "dir", "itself"))) return;
      assert.equal(await store.delete("dir"), true);
      assert.equal(await store.get("dir"), undefined);
      hasText(await store.get("dir/key"), "below");
      assert.equal(await store.delete("dir"), false);
    },
    "leaves no trace of the directories it emptied": async ({ store }) => {
      await store.put("a/b/c", "1");
      await store.delete("a/b/c");
      assert.deepEqual(await store.keys(""), []);
      assert.deepEqual(await store.keys("", { depth: 1 }), []);
      await store.put("a", "now a key");
      hasText(await store.get("a"), "now a key");
    },
    "one of two concurrent deletes wins": async ({ store, another }) => {
      const other = await another();
      for (let round = 0; round < 5; round++) {
        await store.put("k", "1");
        const won = await Promise.all([store.delete("k"), other.delete("k")]);
        assert.equal(won.filter((each) => each).length, 1, "each delete must find the key once");
      }
    },
  },
};
