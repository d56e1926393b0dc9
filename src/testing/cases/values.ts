import assert from "node:assert/strict";
import { hasText, rejects, sameBytes } from "../assertions.js";
import type { CaseGroup } from "../case.js";

export const values: CaseGroup = {
  name: "values",
  cases: {
    "empty is not absent": async ({ store }) => {
      const pair = await store.put("dir/empty", "");
      assert.equal(pair.value.length, 0);
      hasText(await store.get("dir/empty"), "");
      await store.put("dir/bytes", new Uint8Array(0));
      hasText(await store.get("dir/bytes"), "");
      assert.equal(await store.exists("dir/empty"), true);
      assert.deepEqual(await store.keys("dir"), ["dir/bytes", "dir/empty"]);
      assert.deepEqual(
        (await store.list("dir")).map((each) => each.value.length),
        [0, 0],
      );
    },
    "a value can become empty and full again": async ({ store }) => {
      await store.put("k", "full");
      await store.put("k", "");
      hasText(await store.get("k"), "");
      await store.put("k", "full again");
      hasText(await store.get("k"), "full again");
    },
    "keeps every byte": async ({ store, capabilities }) => {
      const every = Uint8Array.from({ length: 256 }, (_, at) => at);
      if (capabilities.values.content === "utf-8") {
        await rejects(() => store.put("k", every), { code: "NOT_SUPPORTED", outcome: "not-applied" });
        return;
      }
      await store.put("k", every);
      sameBytes((await store.get("k"))?.value, every);
      sameBytes((await store.list(""))[0]?.value, every);
      for (const bytes of [[0], [0, 0, 0], [255], [0xff, 0xfe], [0xed, 0xa0, 0x80], [0x0a, 0x0d, 0x00]]) {
        await store.put("short", Uint8Array.from(bytes));
        sameBytes((await store.get("short"))?.value, Uint8Array.from(bytes));
      }
    },
    "keeps text of any script, control characters and a byte order mark": async ({ store }) => {
      for (const text of [
        "grün",
        "日本語",
        "\u{1f600}",
        "\u0000\u0001\u001f\u007f",
        "\ufeffwith a mark",
        "\ufffe\uffff",
        "\r\n\t ",
      ]) {
        await store.put("k", text);
        assert.equal((await store.get("k"))?.text(), text);
      }
    },
    "text() throws on bytes that are not UTF-8": async ({ store, capabilities }) => {
      if (capabilities.values.content === "utf-8") {
        await rejects(() => store.put("k", Uint8Array.of(0xff)), "NOT_SUPPORTED");
        return;
      }
      await store.put("k", Uint8Array.of(0x61, 0xff));
      const pair = (await store.get("k"))!;
      assert.throws(() => pair.text(), TypeError);
      assert.throws(() => pair.json(), TypeError);
      assert.equal(JSON.parse(JSON.stringify(pair)).base64, "Yf8=");
    },
    "json() throws on text that is not JSON": async ({ store }) => {
      await store.put("k", "{");
      const pair = (await store.get("k"))!;
      assert.throws(() => pair.json(), SyntaxError);
    },
    "keeps large values whole": async ({ store, capabilities }) => {
      const size = Math.min(capabilities.values.maxBytes, 300_000);
      const large = new Uint8Array(size).map((_, at) => 0x20 + (at % 95));
      await store.put("dir/large", large);
      await store.put("dir/small", "beside it");
      sameBytes((await store.get("dir/large"))?.value, large);
      sameBytes((await store.list("dir"))[0]?.value, large);
      hasText(await store.get("dir/small"), "beside it");
    },
    "refuses a value over the limit before sending": async ({ store, capabilities }) => {
      const { maxBytes } = capabilities.values;
      assert.ok(maxBytes > 0);
      // A limit of hundreds of megabytes is not tried: the machine would only be filling memory.
      if (maxBytes > 2 ** 26) return;
      await store.put("k", new Uint8Array(maxBytes).fill(0x61));
      assert.equal((await store.get("k"))?.value.length, maxBytes);
      const tooLarge = new Uint8Array(maxBytes + 1).fill(0x61);
      await rejects(() => store.put("k", tooLarge), { code: "VALUE_TOO_LARGE", key: "k", outcome: "not-applied" });
      await rejects(() => store.atomicPut("new", tooLarge, undefined), "VALUE_TOO_LARGE");
      await rejects(() => store.update("k", () => tooLarge), "VALUE_TOO_LARGE");
      await rejects(async () => store.atomic().put("k", tooLarge).commit(), "VALUE_TOO_LARGE");
      assert.equal((await store.get("k"))?.value.length, maxBytes);
    },
  },
};
