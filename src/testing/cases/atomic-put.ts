import assert from "node:assert/strict";
import { hasText, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const atomicPut: CaseGroup = {
  name: "atomicPut",
  cases: {
    "writes over the pair that was read": async ({ store }) => {
      const first = await store.put("k", "1");
      const second = await store.atomicPut("k", "2", first);
      assert.equal(second.key, "k");
      assert.equal(second.text(), "2");
      assert.ok(second.revision > first.revision);
      const read = hasText(await store.get("k"), "2");
      assert.equal(read.revision, second.revision);
      hasText(await store.atomicPut("k", "3", read), "3");
    },
    "compares with a bare revision": async ({ store }) => {
      const { revision } = await store.put("k", "1");
      await store.atomicPut("k", "2", { revision });
      await rejects(() => store.atomicPut("k", "3", { revision }), {
        code: "KEY_MODIFIED",
        key: "k",
        outcome: "not-applied",
      });
      hasText(await store.get("k"), "2");
    },
    "refuses when the key was changed since": async ({ store, another }) => {
      const read = await store.put("k", "1");
      await (await another()).put("k", "other");
      await rejects(() => store.atomicPut("k", "2", read), { code: "KEY_MODIFIED", key: "k", outcome: "not-applied" });
      hasText(await store.get("k"), "other");
    },
    "refuses when the key was written with the same value since": async ({ store }) => {
      const read = await store.put("k", "same");
      await store.put("k", "same");
      await rejects(() => store.atomicPut("k", "2", read), "KEY_MODIFIED");
    },
    "refuses when the key was deleted since": async ({ store }) => {
      const read = await store.put("k", "1");
      await store.delete("k");
      await rejects(() => store.atomicPut("k", "2", read), { code: "KEY_MODIFIED", key: "k", outcome: "not-applied" });
      assert.equal(await store.exists("k"), false);
    },
    "is not fooled by delete and recreate with an equal value": async ({ store, another }) => {
      const other = await another();
      const read = await store.put("k", "same");
      await other.delete("k");
      await other.put("k", "same");
      await rejects(() => store.atomicPut("k", "2", read), "KEY_MODIFIED");
      // As many writes as before the delete, so that a counter which starts again would be the same.
      const later = await store.put("k", "same");
      await other.delete("k");
      await other.put("k", "same");
      await other.put("k", "same");
      await rejects(() => store.atomicPut("k", "2", later), "KEY_MODIFIED");
      await rejects(() => store.atomicPut("k", "2", { revision: later.revision }), "KEY_MODIFIED");
      hasText(await store.get("k"), "same");
    },
    "creates where nothing is": async ({ store }) => {
      const created = await store.atomicPut("new/undefined", "1", undefined);
      assert.equal(created.key, "new/undefined");
      hasText(await store.get("new/undefined"), "1");
      await store.atomicPut("new/null", "2", null);
      hasText(await store.get("new/null"), "2");
      await store.atomicPut("new/read", "3", await store.get("new/read"));
      hasText(await store.get("new/read"), "3");
    },
    "creates again after a delete": async ({ store }) => {
      await store.put("k", "1");
      await store.delete("k");
      hasText(await store.atomicPut("k", "2", undefined), "2");
    },
    "refuses to create what is there": async ({ store }) => {
      await store.put("k", "1");
      for (const absent of [null, undefined]) {
        await rejects(() => store.atomicPut("k", "2", absent), {
          code: "KEY_EXISTS",
          key: "k",
          outcome: "not-applied",
        });
      }
      await store.put("k", "");
      await rejects(() => store.atomicPut("k", "2", undefined), "KEY_EXISTS");
      hasText(await store.get("k"), "");
    },
    "creates a key where a directory is": async ({ store, capabilities }) => {
      await store.put("dir/k", "1");
      if (capabilities.keys.withChildren === "never") {
        await rejects(() => store.atomicPut("dir", "1", undefined), "NOT_SUPPORTED");
        return;
      }
      hasText(await store.atomicPut("dir", "itself", undefined), "itself");
      hasText(await store.get("dir/k"), "1");
      await rejects(() => store.atomicPut("dir", "2", undefined), "KEY_EXISTS");
    },
    "refuses a pair of another key": async ({ store }) => {
      const pair = await store.put("one", "1");
      await store.put("two", "2");
      await rejects(() => store.atomicPut("two", "3", pair), { code: "INVALID_ARGUMENT", outcome: "not-applied" });
      hasText(await store.get("two"), "2");
      hasText(await store.atomicPut("/one/", "3", pair), "3");
    },
    "refuses a previous that is neither": async ({ store }) => {
      for (const previous of [{}, { revision: 7 }, { revision: "7" }, "7", 7, true]) {
        await rejects(() => store.atomicPut("k", "1", previous as unknown as null), "INVALID_ARGUMENT");
      }
      assert.equal(await store.exists("k"), false);
    },
    "copies the bytes before it returns": async ({ store }) => {
      const read = await store.put("k", "1");
      const bytes = new TextEncoder().encode("before");
      const pending = store.atomicPut("k", bytes, read);
      bytes.fill(0x78);
      read.value.fill(0);
      hasText(await pending, "before");
      hasText(await store.get("k"), "before");
    },
    "one of many concurrent writers wins": async ({ store, another }) => {
      const stores = [store, await another()];
      const read = await store.put("k", "start");
      const tries = Array.from({ length: 16 }, (_, at) => stores[at % 2]!.atomicPut("k", `writer ${at}`, read));
      const settled = await Promise.allSettled(tries);
      const winners = settled.filter((each) => each.status === "fulfilled");
      assert.equal(winners.length, 1);
      for (const each of settled) {
        if (each.status === "rejected") await rejects(() => Promise.reject(each.reason), "KEY_MODIFIED");
      }
      hasText(await store.get("k"), winners[0]!.value.text());
    },
    "one of many concurrent creators wins": async ({ store, another }) => {
      const stores = [store, await another()];
      const settled = await Promise.allSettled(
        Array.from({ length: 16 }, (_, at) => stores[at % 2]!.atomicPut("k", `creator ${at}`, undefined)),
      );
      assert.equal(settled.filter((each) => each.status === "fulfilled").length, 1);
      for (const each of settled) {
        if (each.status === "rejected") await rejects(() => Promise.reject(each.reason), "KEY_EXISTS");
      }
    },
  },
};
