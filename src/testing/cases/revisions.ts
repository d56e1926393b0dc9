import assert from "node:assert/strict";
import type { CaseGroup } from "../case.js";

export const revisions: CaseGroup = {
  name: "revisions",
  cases: {
    "grow with each write of a key": async ({ store, another }) => {
      const other = await another();
      let last = (await store.put("k", "0")).revision;
      for (let round = 1; round <= 10; round++) {
        const { revision } = await (round % 2 === 0 ? store : other).put("k", "the same value");
        assert.ok(revision > last, `revision ${revision} is not over ${last}`);
        last = revision;
      }
    },
    "grow through delete and recreate": async ({ store }) => {
      const first = await store.put("k", "1");
      await store.delete("k");
      const second = await store.put("k", "1");
      assert.ok(second.revision > first.revision, `${second.revision} is not over ${first.revision}`);
    },
    "are the same in get, list, scan and watch": async ({ store, within }) => {
      const { revision } = await store.put("dir/k", "1");
      assert.equal((await store.get("dir/k"))?.revision, revision);
      assert.equal((await store.list("dir"))[0]?.revision, revision);
      for await (const pair of store.scan("dir")) assert.equal(pair.revision, revision);
      const watch = store.watch("dir/k")[Symbol.asyncIterator]();
      const first = await within(watch.next(), "the first state");
      assert.equal(first.value?.revision, revision);
      await watch.return?.();
    },
    "stay when other keys are written": async ({ store }) => {
      const { revision } = await store.put("k", "1");
      await store.put("other", "1");
      await store.put("k2", "1");
      assert.equal((await store.get("k"))?.revision, revision);
    },
  },
};
