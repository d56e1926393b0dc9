import assert from "node:assert/strict";
import { hasText, names, rejects } from "../assertions.js";
import type { CaseGroup } from "../case.js";
import { putBeside, putIfTaken } from "../steps.js";

/** Unusual but allowed; a backend may refuse some, and its capabilities say so. */
export const unusualKeys = [
  "grün/straße",
  "日本語/キー",
  "key with spaces",
  "a%2Fb?c=d&e=f#g",
  "quo\"te's\\and`more",
  "{json}/[list]/<tag>",
  "+plus=equals;semi,comma",
  "$dollar/@at/!bang/*star/~tilde",
  "_underscore/.hidden/-dash",
  "...three/dots",
  "é/e\u0301",
  "\u200bzero-width",
  "\ue000private-use",
  "\ufdd0noncharacter",
  "\ufffdreplacement",
  "\u{1f600}outside-the-bmp",
  "\u{10ffff}the-last",
  "key.___lock.not-at-the-end",
];

export const canonicalKeys: CaseGroup = {
  name: "canonical keys",
  cases: {
    "strips and collapses slashes": async ({ store }) => {
      const pair = await store.put("/a//b/", "1");
      assert.equal(pair.key, "a/b");
      for (const spelling of ["a/b", "/a/b", "a/b/", "//a///b//"]) {
        const read = hasText(await store.get(spelling), "1");
        assert.equal(read.key, "a/b");
        assert.equal(await store.exists(spelling), true);
      }
      assert.deepEqual(await store.keys("/a/"), ["a/b"]);
      assert.deepEqual(await store.keys("/"), ["a/b"]);
      assert.equal(await store.delete("/a/b"), true);
    },
    "refuses what no backend may store": async ({ store }) => {
      const bad = [
        "",
        "/",
        "//",
        ".",
        "..",
        "a/./b",
        "a/../b",
        "a\u0000b",
        "a\nb",
        "a\u007fb",
        "a\u0085b",
        "a\ud800",
        "\udc00b",
      ];
      for (const key of bad) {
        await rejects(() => store.put(key, "1"), "INVALID_KEY");
        await rejects(() => store.get(key), "INVALID_KEY");
      }
      assert.deepEqual(await store.keys(""), []);
    },
    "refuses a key that is no string": async ({ store }) => {
      for (const key of [undefined, null, 7, {}] as never[]) {
        await rejects(() => store.get(key), "INVALID_KEY");
        await rejects(() => store.list(key), "INVALID_KEY");
      }
    },
    "refuses segments that belong to locks": async ({ store }) => {
      for (const key of ["a___lock", "___lock", "a___lock/b", "a/b___lock/c"]) {
        await rejects(() => store.put(key, "1"), "INVALID_KEY");
        await rejects(() => store.delete(key), "INVALID_KEY");
      }
      hasText(await store.put("a___locked", "1"), "1");
    },
    "takes 1,024 bytes and no more": async ({ store }) => {
      const segment = "k".repeat(255);
      const longest = `${segment}/${segment}/${segment}/${"k".repeat(1_024 - 3 * 256)}`;
      // A namespace's prefix counts, so the longest key is tried by what is left of it.
      const fits = await longestThatFits(async (key) => store.get(key), longest);
      await store.put(fits, "long");
      hasText(await store.get(fits), "long");
      assert.deepEqual(await store.keys(""), [fits]);
      await rejects(() => store.put(`${fits}k`, "1"), "INVALID_KEY");
      await rejects(() => store.put("ü".repeat(513), "1"), "INVALID_KEY");
    },
    "keeps unusual keys apart and intact": async ({ store, capabilities }) => {
      const taken: string[] = [];
      for (const key of unusualKeys) {
        const pair = await putIfTaken(store, capabilities, key, key);
        if (pair === undefined) continue;
        assert.equal(pair.key, key);
        taken.push(key);
      }
      for (const key of taken) hasText(await store.get(key), key);
      const listed = await store.list("");
      assert.deepEqual(new Set(names(listed)), new Set(taken));
      for (const pair of listed) assert.equal(pair.text(), pair.key);
      for (const key of taken) assert.equal(await store.delete(key), true);
    },
    "refuses by its capabilities before sending": async ({ store, capabilities }) => {
      for (const key of unusualKeys) {
        const pair = await putIfTaken(store, capabilities, key, "1");
        if (pair !== undefined) continue;
        await rejects(() => store.put(key, "1"), { code: "NOT_SUPPORTED", outcome: "not-applied" });
        await rejects(() => store.get(key), "NOT_SUPPORTED");
      }
    },
    "keys differ by case, by normal form and by prefix": async ({ store }) => {
      for (const key of ["Key", "key", "ké", "ke\u0301", "k", "ke"]) await store.put(key, key);
      for (const key of ["Key", "key", "ké", "ke\u0301", "k", "ke"]) hasText(await store.get(key), key);
    },
    "a key and keys below it coexist": async ({ store, capabilities }) => {
      await store.put("a", "the key");
      if (!(await putBeside(store, capabilities, "a/b", "below"))) return;
      await store.put("a/b/c", "further below");
      hasText(await store.get("a"), "the key");
      hasText(await store.get("a/b"), "below");
      hasText(await store.get("a/b/c"), "further below");
      assert.equal(await store.delete("a/b"), true);
      hasText(await store.get("a"), "the key");
      hasText(await store.get("a/b/c"), "further below");
    },
    "a key can be put where keys below it are": async ({ store, capabilities }) => {
      await store.put("a/b/c", "first");
      if (!(await putBeside(store, capabilities, "a", "later"))) return;
      hasText(await store.get("a"), "later");
      assert.equal(await store.get("a/b"), undefined);
      hasText(await store.get("a/b/c"), "first");
    },
  },
};

/** The key cut at its end, byte by byte, until the store takes it. */
async function longestThatFits(ask: (key: string) => Promise<unknown>, key: string): Promise<string> {
  for (let length = key.length; length > key.length - 64; length--) {
    const shorter = key.slice(0, length);
    const fits = await ask(shorter).then(
      () => true,
      () => false,
    );
    if (fits) return shorter;
  }
  return assert.fail("no key of nearly 1,024 bytes is taken");
}
