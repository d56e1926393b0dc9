import assert from "node:assert/strict";
import { hasText, names, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { commitAcross } from "../steps.js";

export const atomic: CaseGroup = {
  name: "atomic",
  cases: {
    "writes all, one pair for each put in order": async ({ store, capabilities }) => {
      await store.put("old", "1");
      const transaction = store.atomic().put("b", "2").delete("old").put("/a/", "1").put("c", new Uint8Array(0));
      const pairs = await commitAcross(capabilities, transaction);
      if (pairs === undefined) return assert.deepEqual(await store.keys(""), ["old"]);
      assert.deepEqual(names(pairs), ["b", "a", "c"]);
      assert.deepEqual(
        pairs.map((pair) => pair.text()),
        ["2", "1", ""],
      );
      for (const pair of pairs) assert.equal((await store.get(pair.key))?.revision, pair.revision);
      assert.deepEqual(await store.keys(""), ["a", "b", "c"]);
    },
    "gives the builder back": async ({ store, capabilities }) => {
      const builder = store.atomic();
      assert.equal(builder.check("x", undefined), builder);
      assert.equal(builder.put("x", "1"), builder);
      assert.equal((await builder.commit()).length, 1);
      assert.equal(builder.delete("y"), builder);
      await rejects(() => builder.commit(), capabilities.atomic.acrossKeys ? "KEY_EXISTS" : "NOT_SUPPORTED");
    },
    "compares and writes one key": async ({ store }) => {
      const [created] = await store.atomic().check("k", null).put("k", "1").commit();
      hasText(await store.get("k"), "1");
      await rejects(async () => store.atomic().check("k", null).put("k", "2").commit(), {
        code: "KEY_EXISTS",
        key: "k",
        outcome: "not-applied",
      });
      const [changed] = await store.atomic().put("k", "2").check("k", created).commit();
      assert.ok(changed!.revision > created!.revision);
      for (const late of [
        () => store.atomic().check("k", created).put("k", "3"),
        () => store.atomic().delete("k").check("k", created),
      ]) {
        await rejects(async () => late().commit(), { code: "KEY_MODIFIED", key: "k", outcome: "not-applied" });
      }
      hasText(await store.get("k"), "2");
      await rejects(async () => store.atomic().check("k", null).delete("k").commit(), "KEY_EXISTS");
      assert.deepEqual(await store.atomic().check("k", changed).delete("k").commit(), []);
      assert.deepEqual(await store.atomic().check("k", null).delete("k").commit(), []);
      assert.equal(await store.exists("k"), false);
    },
    "commits when every check holds": async ({ store, capabilities }) => {
      const one = await store.put("one", "1");
      const { revision } = await store.put("two", "2");
      const checks = store.atomic().check("one", one).check("two", { revision }).check("three", null);
      if ((await commitAcross(capabilities, checks.put("three", "3").delete("one"))) === undefined) return;
      assert.deepEqual(await store.keys(""), ["three", "two"]);
    },
    "writes nothing when a check fails, and names its key": async ({ store, capabilities }) => {
      const one = await store.put("dir/one", "1");
      const two = await store.put("dir/two", "2");
      await store.put("dir/two", "changed");
      if (!capabilities.atomic.acrossKeys) {
        await commitAcross(capabilities, store.atomic().check("dir/one", one).put("dir/three", "3"));
        assert.deepEqual(await store.keys(""), ["dir/one", "dir/two"]);
        return;
      }
      await rejects(
        async () =>
          store
            .atomic()
            .check("dir/one", one)
            .check("dir/two", two)
            .put("dir/one", "new")
            .put("dir/three", "3")
            .commit(),
        { code: "KEY_MODIFIED", key: "dir/two", outcome: "not-applied" },
      );
      await rejects(
        async () => store.atomic().put("dir/three", "3").check("dir/one", null).delete("dir/two").commit(),
        {
          code: "KEY_EXISTS",
          key: "dir/one",
          outcome: "not-applied",
        },
      );
      await store.delete("dir/two");
      await rejects(async () => store.atomic().check("dir/two", two).put("dir/three", "3").commit(), {
        code: "KEY_MODIFIED",
        key: "dir/two",
      });
      assert.deepEqual(
        (await store.list("")).map((pair) => `${pair.key}=${pair.text()}`),
        ["dir/one=1"],
      );
    },
    "moves a key": async ({ store, capabilities }) => {
      const from = await store.put("from", "cargo");
      const checks = store.atomic().check("from", from).check("to", undefined);
      if ((await commitAcross(capabilities, checks.delete("from").put("to", from.value))) === undefined) return;
      assert.equal(await store.exists("from"), false);
      hasText(await store.get("to"), "cargo");
    },
    "deletes what may be absent": async ({ store, capabilities }) => {
      assert.deepEqual(await store.atomic().delete("absent").commit(), []);
      const pairs = await commitAcross(capabilities, store.atomic().delete("absent").put("k", "1"));
      if (pairs === undefined) return;
      assert.equal(pairs.length, 1);
      hasText(await store.get("k"), "1");
    },
    "checks alone are a commit": async ({ store }) => {
      const pair = await store.put("k", "1");
      assert.deepEqual(await store.atomic().check("k", pair).commit(), []);
      await store.put("k", "2");
      await rejects(async () => store.atomic().check("k", pair).commit(), { code: "KEY_MODIFIED", key: "k" });
    },
    "refuses a key written twice": async ({ store }) => {
      await rejects(async () => store.atomic().put("k", "1").put("/k/", "2").commit(), "INVALID_ARGUMENT");
      await rejects(async () => store.atomic().put("k", "1").delete("k").commit(), "INVALID_ARGUMENT");
      await rejects(async () => store.atomic().delete("k").delete("k").commit(), "INVALID_ARGUMENT");
      assert.equal(await store.exists("k"), false);
    },
    "refuses to commit nothing": async ({ store }) => {
      await rejects(async () => store.atomic().commit(), "INVALID_ARGUMENT");
    },
    "refuses bad keys, bad values and pairs of other keys": async ({ store }) => {
      const one = await store.put("one", "1");
      await rejects(async () => store.atomic().put("a/../b", "1").commit(), "INVALID_KEY");
      await rejects(async () => store.atomic().delete("").commit(), "INVALID_KEY");
      await rejects(async () => store.atomic().check("a\n", undefined).put("a", "1").commit(), "INVALID_KEY");
      await rejects(
        async () =>
          store
            .atomic()
            .put("k", 7 as unknown as string)
            .commit(),
        "INVALID_ARGUMENT",
      );
      await rejects(async () => store.atomic().put("k", "\ud800").commit(), "INVALID_ARGUMENT");
      await rejects(async () => store.atomic().check("two", one).put("k", "1").commit(), "INVALID_ARGUMENT");
      assert.deepEqual(await store.keys(""), ["one"]);
    },
    "copies the bytes before it returns": async ({ store }) => {
      const bytes = new TextEncoder().encode("before");
      const builder = store.atomic().put("k", bytes);
      bytes.fill(0x78);
      await builder.commit();
      hasText(await store.get("k"), "before");
    },
    "one of many concurrent commits wins": async ({ store, another, capabilities }) => {
      const stores = [store, await another()];
      const read = await store.put("k", "0");
      const settled = await Promise.allSettled(
        Array.from({ length: 8 }, (_, at) => {
          const transaction = stores[at % 2]!.atomic().check("k", read).put("k", `writer ${at}`);
          return (capabilities.atomic.acrossKeys ? transaction.put(`made/${at}`, "1") : transaction).commit();
        }),
      );
      assert.equal(settled.filter((each) => each.status === "fulfilled").length, 1);
      const winner = settled.findIndex((each) => each.status === "fulfilled");
      hasText(await store.get("k"), `writer ${winner}`);
      assert.deepEqual(await store.keys("made"), capabilities.atomic.acrossKeys ? [`made/${winner}`] : []);
    },
    "is seen by others whole or not at all": async ({ store, another, capabilities }) => {
      const other = await another();
      const both = store.atomic().put("pair/left", "0").put("pair/right", "0");
      if ((await commitAcross(capabilities, both)) === undefined) return;
      const written = new AbortController();
      const writer = (async () => {
        for (let round = 1; round <= 20; round++) {
          await store.atomic().put("pair/left", `${round}`).put("pair/right", `${round}`).commit();
        }
        written.abort();
      })();
      while (!written.signal.aborted) {
        // A commit that checks what was read is a read of one moment on every backend.
        const left = await other.get("pair/left");
        const right = await other.get("pair/right");
        const together = await other
          .atomic()
          .check("pair/left", left)
          .check("pair/right", right)
          .commit()
          .then(
            () => true,
            () => false,
          );
        if (together) assert.equal(left?.text(), right?.text());
      }
      await writer;
    },
    "takes as many operations as the capabilities say, and no more": async ({ store, capabilities }) => {
      const { maxOperations, acrossKeys } = capabilities.atomic;
      assert.ok(maxOperations >= 2);
      if (!acrossKeys) {
        const over = store.atomic().put("k", "1");
        for (let at = 0; at < maxOperations; at++) over.check("k", null);
        await rejects(() => over.commit(), "INVALID_ARGUMENT");
        return;
      }
      const tried = Math.min(maxOperations, 1_000);
      const full = store.atomic();
      for (let at = 0; at < tried; at++) full.put(`many/${at}`, `${at}`);
      assert.equal((await full.commit()).length, tried);
      assert.equal((await store.keys("many")).length, tried);
      if (tried < maxOperations) return;
      await rejects(async () => {
        const over = store.atomic();
        for (let at = 0; at <= maxOperations; at++) over.put(`over/${at}`, "1");
        return over.commit();
      }, "INVALID_ARGUMENT");
      assert.deepEqual(await store.keys("over"), []);
    },
  },
};
