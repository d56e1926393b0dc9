import assert from "node:assert/strict";
import { hasText, sameBytes } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const get: CaseGroup = {
  name: "get",
  cases: {
    "gives undefined for an absent key": async ({ store }) => {
      assert.equal(await store.get("absent"), undefined);
      assert.equal(await store.get("absent/below"), undefined);
    },
    "gives undefined for a directory that is no key": async ({ store }) => {
      await store.put("dir/key", "1");
      assert.equal(await store.get("dir"), undefined);
    },
    "gives undefined for a key below a key": async ({ store }) => {
      await store.put("plain", "1");
      assert.equal(await store.get("plain/below"), undefined);
    },
    "gives undefined after a delete": async ({ store }) => {
      await store.put("k", "1");
      await store.delete("k");
      assert.equal(await store.get("k"), undefined);
    },
    "hands out bytes that are the caller's own": async ({ store }) => {
      const put = await store.put("k", "untouched");
      put.value.fill(0);
      const first = await store.get("k");
      hasText(first, "untouched").value.fill(0);
      hasText(await store.get("k"), "untouched");
    },
    "hands two concurrent callers bytes of their own": async ({ store }) => {
      await store.put("k", "untouched");
      const [left, right] = await Promise.all([store.get("k"), store.get("k")]);
      left!.value.fill(0);
      hasText(right, "untouched");
    },
    "takes a consistency": async ({ store }) => {
      await store.put("k", "1");
      hasText(await store.get("k", { consistency: "linearizable" }), "1");
      const stale = await store.get("k", { consistency: "stale" });
      if (stale !== undefined) sameBytes(stale.value, new TextEncoder().encode("1"));
    },
    "gives text, JSON and bytes": async ({ store }) => {
      await store.put("json", '{"port": 8080}');
      const pair = (await store.get("json"))!;
      assert.deepEqual(pair.json(), { port: 8080 });
      assert.equal(pair.text(), '{"port": 8080}');
      assert.equal(pair.value.length, 14);
      assert.equal(pair.value.constructor, Uint8Array, "the value is a plain Uint8Array");
    },
    "gives a pair that JSON can spell": async ({ store }) => {
      const pair = await store.put("k", "v");
      const read = (await store.get("k"))!;
      assert.deepEqual(JSON.parse(JSON.stringify(read)), { key: "k", value: "v", revision: pair.revision.toString() });
    },
  },
};
