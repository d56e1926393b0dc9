import assert from "node:assert/strict";
import { isStoreError } from "../../core/errors.js";
import { hasText, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";

const count = 64;
const numbers = Array.from({ length: count }, (_, at) => at);

export const batching: CaseGroup = {
  name: "concurrent calls",
  cases: {
    "each gets its own answer": async ({ store }) => {
      const pairs = await Promise.all(numbers.map((at) => store.put(`k/${at}`, `${at}`)));
      assert.deepEqual(
        pairs.map((pair) => `${pair.key}=${pair.text()}`),
        numbers.map((at) => `k/${at}=${at}`),
      );
      const read = await Promise.all(numbers.map((at) => store.get(`k/${at % 2 === 0 ? at : `absent-${at}`}`)));
      assert.deepEqual(
        read.map((pair) => pair?.text()),
        numbers.map((at) => (at % 2 === 0 ? `${at}` : undefined)),
      );
      const there = await Promise.all(numbers.map((at) => store.exists(`k/${at * 2}`)));
      assert.deepEqual(
        there,
        numbers.map((at) => at < count / 2),
      );
      const deleted = await Promise.all(numbers.map((at) => store.delete(`k/${at * 2}`)));
      assert.deepEqual(
        deleted,
        numbers.map((at) => at < count / 2),
      );
      assert.equal((await store.keys("k")).length, count / 2);
    },
    "of every kind mix": async ({ store }) => {
      const old = await Promise.all(numbers.map((at) => store.put(`k/${at}`, "old")));
      const answers = await Promise.all(
        numbers.map(async (at) => {
          const key = `k/${at}`;
          switch (at % 8) {
            case 0:
              return (await store.put(key, "new")).text();
            case 1:
              return (await store.get(key))!.text();
            case 2:
              return store.exists(key);
            case 3:
              return store.delete(key);
            case 4:
              return (await store.atomicPut(key, "cas", old[at])).text();
            case 5:
              return store.atomicDelete(key, old[at]!);
            case 6:
              return (await store.update(key, (current) => `${current!.text()}+`))!.text();
            default:
              return (await store.atomic().check(key, old[at]).put(key, "atomic").commit())[0]!.text();
          }
        }),
      );
      const expected = ["new", "old", true, true, "cas", undefined, "old+", "atomic"];
      assert.deepEqual(
        answers,
        numbers.map((at) => expected[at % 8]),
      );
      const after = await Promise.all(numbers.map(async (at) => (await store.get(`k/${at}`))?.text()));
      const state = ["new", "old", "old", undefined, "cas", undefined, "old+", "atomic"];
      assert.deepEqual(
        after,
        numbers.map((at) => state[at % 8]),
      );
    },
    "one that fails does not fail its neighbours": async ({ store, capabilities }) => {
      const taken = await store.put("taken", "1");
      await store.put("taken", "2");
      const tooLarge =
        capabilities.values.maxBytes < 2 ** 24 ? new Uint8Array(capabilities.values.maxBytes + 1) : undefined;
      const settled = await Promise.allSettled(
        numbers.map((at) => {
          if (at === 10) return store.atomicPut("taken", "3", taken);
          if (at === 20) return store.atomicPut("taken", "3", undefined);
          if (at === 30) return store.put("a/../b", "1");
          if (at === 40 && tooLarge !== undefined) return store.put("large", tooLarge);
          return store.put(`k/${at}`, `${at}`);
        }),
      );
      const codes: Record<number, string> = { 10: "KEY_MODIFIED", 20: "KEY_EXISTS", 30: "INVALID_KEY" };
      if (tooLarge !== undefined) codes[40] = "VALUE_TOO_LARGE";
      for (const [at, each] of settled.entries()) {
        const code = each.status === "rejected" && isStoreError(each.reason) ? each.reason.code : undefined;
        assert.equal(code, codes[at], `call ${at}: ${each.status === "rejected" ? String(each.reason) : "resolved"}`);
      }
      const failed = Object.keys(codes).length;
      assert.equal((await store.keys("k")).length, count - failed);
      hasText(await store.get("taken"), "2");
    },
    "writes to one key keep their order": async ({ store, another }) => {
      const other = await another();
      for (let round = 0; round < 3; round++) {
        const pairs = await Promise.all(numbers.map((at) => store.put("k", `${round} ${at}`)));
        for (let at = 1; at < count; at++) {
          assert.ok(pairs[at]!.revision > pairs[at - 1]!.revision, `write ${at} came before write ${at - 1}`);
        }
        hasText(await other.get("k"), `${round} ${count - 1}`);
      }
    },
    "writes of different kinds to one key keep their order": async ({ store }) => {
      const created = store.atomicPut("k", "created", undefined);
      const put = store.put("k", "put");
      const deleted = store.delete("k");
      const again = store.atomicPut("k", "again", undefined);
      const refused = rejects(() => store.atomicPut("k", "no", undefined), "KEY_EXISTS");
      const last = store.put("k", "last", { ttlMs: 60_000 });
      const permanent = store.put("k", "permanent");
      await Promise.all([created, put, again, refused, last, permanent]);
      assert.equal(await deleted, true);
      assert.equal((await permanent).ttlMs, undefined);
      hasText(await store.get("k"), "permanent");
    },
    "a failed call does not hold up the key's next": async ({ store }) => {
      const settled = await Promise.allSettled([
        store.put("k", "1"),
        store.atomicPut("k", "2", undefined),
        store.put("k", "3"),
        store.atomicDelete("k", { revision: 1n }),
        store.put("k", "4"),
      ]);
      assert.deepEqual(
        settled.map((each) => each.status),
        ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"],
      );
      hasText(await store.get("k"), "4");
    },
    "atomic commits keep their place among writes to their keys": async ({ store, capabilities }) => {
      if (!capabilities.atomic.acrossKeys) {
        const ofOneKey = [store.put("a", "1"), store.atomic().put("a", "2").commit(), store.put("a", "3")];
        await Promise.all([...ofOneKey, store.put("b", "1"), store.atomic().delete("b").commit()]);
        assert.deepEqual(await store.keys(""), ["a"]);
        hasText(await store.get("a"), "3");
        return;
      }
      const writes = [
        store.put("a", "1"),
        store.atomic().put("a", "2").put("b", "2").commit(),
        store.put("b", "3"),
        store.atomic().delete("a").put("c", "4").commit(),
      ];
      await Promise.all(writes);
      assert.deepEqual(
        (await store.list("")).map((pair) => `${pair.key}=${pair.text()}`),
        ["b=3", "c=4"],
      );
    },
    "a read sees every write acknowledged before it, whoever wrote": async ({ store, another }) => {
      const other = await another();
      for (let round = 0; round < 20; round++) {
        await store.put("k", `${round}`);
        const reads = await Promise.all(numbers.map(() => other.get("k")));
        for (const read of reads) assert.equal(read?.text(), `${round}`);
      }
    },
    "many reads of one key each give it": async ({ store }) => {
      await store.put("k", "1");
      const reads = await Promise.all(Array.from({ length: 500 }, () => store.get("k")));
      assert.ok(reads.every((pair) => pair?.text() === "1"));
    },
  },
};
