import assert from "node:assert/strict";
import { KVPair } from "../../core/pair.js";
import { hasText, rejects, sameBytes } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const put: CaseGroup = {
  name: "put",
  cases: {
    "writes a value that get gives back": async ({ store }) => {
      await store.put("config/host", "10.0.0.7");
      hasText(await store.get("config/host"), "10.0.0.7");
    },
    "gives the pair with key, value and revision": async ({ store }) => {
      const pair = await store.put("config/host", "10.0.0.7");
      assert.ok(pair instanceof KVPair);
      assert.equal(pair.key, "config/host");
      assert.equal(pair.text(), "10.0.0.7");
      assert.equal(typeof pair.revision, "bigint");
      assert.equal(pair.ttlMs, undefined);
      assert.equal((await store.get("config/host"))?.revision, pair.revision);
    },
    "overwrites what was there": async ({ store }) => {
      await store.put("k", "a longer first value");
      await store.put("k", "2");
      hasText(await store.get("k"), "2");
    },
    "is seen by another store at once": async ({ store, another }) => {
      const other = await another();
      await store.put("k", "1");
      hasText(await other.get("k"), "1");
      await other.put("k", "2");
      hasText(await store.get("k"), "2");
    },
    "takes bytes and text alike": async ({ store }) => {
      await store.put("text", "grün");
      await store.put("bytes", new TextEncoder().encode("grün"));
      sameBytes((await store.get("text"))?.value, (await store.get("bytes"))!.value);
    },
    "takes a Buffer and a view into a larger buffer": async ({ store }) => {
      const large = new TextEncoder().encode("..inside..");
      await store.put("view", large.subarray(2, 8));
      await store.put("buffer", Buffer.from("from a Buffer"));
      hasText(await store.get("view"), "inside");
      hasText(await store.get("buffer"), "from a Buffer");
    },
    "copies the bytes before it returns": async ({ store }) => {
      const bytes = new TextEncoder().encode("before");
      const pending = store.put("k", bytes);
      bytes.fill(0x78);
      const pair = await pending;
      assert.equal(pair.text(), "before");
      hasText(await store.get("k"), "before");
    },
    "refuses a value that is neither text nor bytes": async ({ store }) => {
      for (const value of [undefined, null, 7, {}, [1], new ArrayBuffer(2)] as never[]) {
        await rejects(() => store.put("k", value), "INVALID_ARGUMENT");
      }
      assert.equal(await store.exists("k"), false);
    },
    "refuses text with half of a surrogate pair": async ({ store }) => {
      await rejects(() => store.put("k", "a\ud800b"), "INVALID_ARGUMENT");
      await rejects(() => store.put("k", "\udc00"), "INVALID_ARGUMENT");
      assert.equal(await store.exists("k"), false);
    },
    "writes many keys at once": async ({ store }) => {
      const keys = Array.from({ length: 200 }, (_, at) => `many/${at}`);
      await Promise.all(keys.map((key) => store.put(key, `value of ${key}`)));
      const pairs = await store.list("many");
      assert.equal(pairs.length, keys.length);
      for (const pair of pairs) assert.equal(pair.text(), `value of ${pair.key}`);
    },
  },
};
