import assert from "node:assert/strict";
import { hasText, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const atomicDelete: CaseGroup = {
  name: "atomicDelete",
  cases: {
    "deletes the pair that was read": async ({ store }) => {
      const read = await store.put("k", "1");
      assert.equal(await store.atomicDelete("k", read), undefined);
      assert.equal(await store.exists("k"), false);
    },
    "compares with a bare revision": async ({ store }) => {
      await store.put("k", "1");
      const { revision } = (await store.get("k"))!;
      await store.atomicDelete("k", { revision });
      assert.equal(await store.exists("k"), false);
    },
    "refuses when the key was changed since": async ({ store, another }) => {
      const read = await store.put("k", "1");
      await (await another()).put("k", "2");
      await rejects(() => store.atomicDelete("k", read), { code: "KEY_MODIFIED", key: "k", outcome: "not-applied" });
      hasText(await store.get("k"), "2");
    },
    "refuses when the key was deleted since": async ({ store }) => {
      const read = await store.put("k", "1");
      await store.delete("k");
      await rejects(() => store.atomicDelete("k", read), { code: "KEY_MODIFIED", key: "k", outcome: "not-applied" });
    },
    "is not fooled by delete and recreate with an equal value": async ({ store, another }) => {
      const other = await another();
      const read = await store.put("k", "same");
      await other.delete("k");
      await other.put("k", "same");
      await rejects(() => store.atomicDelete("k", read), "KEY_MODIFIED");
      hasText(await store.get("k"), "same");
    },
    "refuses absence and pairs of other keys": async ({ store }) => {
      const one = await store.put("one", "1");
      await store.put("two", "2");
      await rejects(() => store.atomicDelete("two", one), { code: "INVALID_ARGUMENT", outcome: "not-applied" });
      for (const previous of [null, undefined, {}, { revision: 1 }]) {
        await rejects(() => store.atomicDelete("two", previous as unknown as { revision: bigint }), "INVALID_ARGUMENT");
      }
      hasText(await store.get("two"), "2");
    },
    "one of many concurrent deletes wins": async ({ store, another }) => {
      const stores = [store, await another()];
      const read = await store.put("k", "1");
      const settled = await Promise.allSettled(
        Array.from({ length: 8 }, (_, at) => stores[at % 2]!.atomicDelete("k", read)),
      );
      assert.equal(settled.filter((each) => each.status === "fulfilled").length, 1);
    },
  },
};
