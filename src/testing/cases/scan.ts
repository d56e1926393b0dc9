import assert from "node:assert/strict";
import type { KVPair } from "../../core/pair.js";
import { byBytes, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { putAll, putBeside } from "../steps.js";

async function collect(pairs: AsyncIterable<KVPair>): Promise<string[]> {
  const keys: string[] = [];
  for await (const pair of pairs) keys.push(pair.key);
  return keys;
}

export const scan: CaseGroup = {
  name: "scan",
  cases: {
    "gives what list gives, whatever the page": async ({ store, capabilities }) => {
      const keys = Array.from({ length: 25 }, (_, at) => `s/${at}`);
      await putAll(store, [...keys, "s0", "r"]);
      await putBeside(store, capabilities, "s", "itself");
      const sorted = keys.toSorted(byBytes);
      for (const pageSize of [1, 2, 24, 25, 26, 1_000])
        assert.deepEqual(await collect(store.scan("s", { pageSize })), sorted);
      assert.deepEqual(await collect(store.scan("s")), sorted);
    },
    "gives values": async ({ store }) => {
      await putAll(store, ["s/a", "s/b"]);
      for await (const pair of store.scan("s", { pageSize: 1 })) assert.equal(pair.text(), pair.key);
    },
    "gives nothing for an absent directory": async ({ store }) => {
      assert.deepEqual(await collect(store.scan("absent")), []);
      assert.deepEqual(await collect(store.scan("")), []);
    },
    "stops at the limit, across pages": async ({ store }) => {
      await putAll(store, ["s/a", "s/b", "s/c", "s/d"]);
      assert.deepEqual(await collect(store.scan("s", { limit: 3, pageSize: 2 })), ["s/a", "s/b", "s/c"]);
      assert.deepEqual(await collect(store.scan("s", { limit: 2, pageSize: 2 })), ["s/a", "s/b"]);
    },
    "goes no deeper than the depth, across pages": async ({ store }) => {
      await putAll(store, ["s/a/1", "s/a/2", "s/b", "s/c/1", "s/d"]);
      assert.deepEqual(await collect(store.scan("s", { depth: 1, pageSize: 1 })), ["s/b", "s/d"]);
      assert.deepEqual(await collect(store.scan("s", { depth: 1, pageSize: 2, limit: 1 })), ["s/b"]);
    },
    "scans anew with each loop": async ({ store }) => {
      await putAll(store, ["s/a"]);
      const pairs = store.scan("s");
      assert.deepEqual(await collect(pairs), ["s/a"]);
      await store.put("s/b", "1");
      assert.deepEqual(await collect(pairs), ["s/a", "s/b"]);
    },
    "can be left early": async ({ store }) => {
      await putAll(store, ["s/a", "s/b", "s/c"]);
      for await (const pair of store.scan("s", { pageSize: 1 })) {
        assert.equal(pair.key, "s/a");
        break;
      }
      const iterator = store.scan("s", { pageSize: 1 })[Symbol.asyncIterator]();
      assert.equal((await iterator.next()).value?.key, "s/a");
      assert.equal((await iterator.return?.())?.done, true);
      assert.equal((await iterator.next()).done, true);
    },
    "shows one moment where the capabilities say so": async ({ store, capabilities }) => {
      await putAll(store, ["s/a", "s/b", "s/c", "s/d"]);
      const seen: string[] = [];
      for await (const pair of store.scan("s", { pageSize: 1 })) {
        if (seen.length === 0) {
          await store.delete("s/c");
          await store.put("s/e", "new");
        }
        seen.push(pair.key);
      }
      const before = ["s/a", "s/b", "s/c", "s/d"];
      if (capabilities.scan.snapshot) assert.deepEqual(seen, before);
      // Without a snapshot what did not change is there all the same, once and in order.
      assert.deepEqual(
        seen.filter((key) => key !== "s/c" && key !== "s/e"),
        ["s/a", "s/b", "s/d"],
      );
      assert.deepEqual(seen, [...new Set(seen)].toSorted(byBytes));
    },
    "refuses a page of nothing": async ({ store }) => {
      for (const pageSize of [0, -1, 1.5, Number.NaN]) {
        await rejects(async () => collect(store.scan("s", { pageSize })), "INVALID_ARGUMENT");
      }
    },
  },
};
