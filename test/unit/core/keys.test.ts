import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import {
  canonicalDirectory,
  canonicalKey,
  compareKeys,
  directoryPrefix,
  isBelow,
  isLockKey,
  maxKeyBytes,
} from "../../../src/core/keys.js";

function isControl(character: string): boolean {
  const code = character.codePointAt(0)!;
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/** The rules of keys, written down once more, in the plainest way. */
function canonicalByTheRules(key: string): string | undefined {
  const segments = key.split("/").filter((segment) => segment !== "");
  const canonical = segments.join("/");
  const bad =
    canonical === "" ||
    !key.isWellFormed() ||
    Array.from(key).some(isControl) ||
    segments.some((segment) => segment === "." || segment === ".." || segment.endsWith("___lock")) ||
    Buffer.byteLength(canonical) > maxKeyBytes;
  return bad ? undefined : canonical;
}

/** Strings of the characters that rules are about. */
const awkward = fc
  .array(
    fc.constantFrom(
      "/",
      ".",
      "..",
      "a",
      "k",
      "___lock",
      "_",
      " ",
      "\u007f",
      "\u0000",
      "é",
      "\ue000",
      "\u{1f600}",
      "\ud800",
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join(""));
const anyText = fc.oneof(awkward, fc.string(), fc.string({ unit: "binary", maxLength: 30 }));

describe("canonicalKey", () => {
  it("follows the rules for any string, by the quick way and the slow one", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let found: string | undefined;
        try {
          found = canonicalKey(text);
        } catch (error) {
          if (!isStoreError(error, "INVALID_KEY")) throw error;
        }
        expect(found).toBe(canonicalByTheRules(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it("of a canonical key is the key", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(canonicalByTheRules(text) !== undefined);
        const once = canonicalKey(text);
        expect(canonicalKey(once)).toBe(once);
        expect(canonicalKey(`//${once}//`)).toBe(once);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["a", "a"],
    ["/a//b/", "a/b"],
    ["a/.b", "a/.b"],
    ["a/..b", "a/..b"],
    ["a/b___lock/c___lockx", undefined],
    ["desk", "desk"],
    ["a/x___locks", "a/x___locks"],
    ["k/k", "k/k"],
    ["a b", "a b"],
  ])("%j is %j", (text, canonical) => {
    if (canonical === undefined) expect(() => canonicalKey(text)).toThrow(/belong to locks/);
    else expect(canonicalKey(text)).toBe(canonical);
  });

  it.each([
    ["", /at least one segment/],
    ["///", /at least one segment/],
    [".", /"\." is not allowed/],
    ["a/../b", /"\.\." is not allowed/],
    ["a/x___lock", /belong to locks/],
    ["___lock", /belong to locks/],
    ["a\u0000b", /U\+0000/],
    ["a\u007f", /U\+007F/],
    ["a\u0085", /U\+0085/],
    ["a\ud800b", /surrogate/],
    ["\udc00", /surrogate/],
    ["x".repeat(1_025), /1025 bytes long; the longest key is 1024/],
    ["é".repeat(513), /1026 bytes long/],
  ])("%j is refused, and the message says why", (text, why) => {
    expect(() => canonicalKey(text)).toThrow(
      expect.objectContaining({ code: "INVALID_KEY", message: expect.stringMatching(why) }),
    );
  });

  it("the longest key counts bytes after slashes are gone", () => {
    expect(canonicalKey(`/${"x".repeat(1_024)}/`)).toHaveLength(1_024);
    expect(canonicalKey("é".repeat(512))).toHaveLength(512);
  });

  it.each([undefined, null, 5, {}, ["a"]])("%j is refused as no string", (key) => {
    expect(() => canonicalKey(key as string)).toThrow(expect.objectContaining({ code: "INVALID_KEY" }));
  });

  it("a key that is refused is shown cut short, and never as broken text", () => {
    const key = `${"\u{1f600}".repeat(100)}\u0001`;
    try {
      canonicalKey(`x${key}`);
      expect.unreachable();
    } catch (error) {
      expect(isStoreError(error) && error.key!.isWellFormed()).toBe(true);
      expect(isStoreError(error) && error.key!.length).toBeLessThan(90);
    }
  });
});

describe("canonicalDirectory", () => {
  it.each([
    ["", ""],
    ["/", ""],
    ["///", ""],
    ["/a//b/", "a/b"],
  ])("%j is %j", (text, canonical) => expect(canonicalDirectory(text)).toBe(canonical));
});

describe("compareKeys", () => {
  it("is the order of the UTF-8 bytes, for any two strings", () => {
    const text = fc.oneof(
      fc.string({ unit: "grapheme-composite" }),
      fc.string({
        unit: fc.constantFrom("a", "b", "\ud7ff", "\ue000", "\uf800", "\uffff", "\u{10000}", "\u{10ffff}"),
        maxLength: 4,
      }),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, text, (left, right) => {
        const expected = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareKeys(left, right))).toBe(expected);
        expect(Math.sign(compareKeys(`${left}x`, `${left}${right}`))).toBe(
          Buffer.compare(Buffer.from(`${left}x`), Buffer.from(`${left}${right}`)),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it("knows two equal keys", () => {
    expect(compareKeys("a/b", "a/b")).toBe(0);
    expect(compareKeys("", "")).toBe(0);
  });
});

describe("directories", () => {
  it("isBelow says what starts with the prefix and has something after it", () => {
    const path = fc
      .array(fc.constantFrom("a", "ab", "b"), { minLength: 1, maxLength: 4 })
      .map((each) => each.join("/"));
    fc.assert(
      fc.property(path, fc.oneof(path, fc.constant("")), (key, directory) => {
        expect(isBelow(key, directory)).toBe(key.startsWith(directoryPrefix(directory)) && key !== directory);
      }),
    );
  });

  it.each([
    ["a/x___lock/1", true],
    ["x___lock", true],
    ["a/x___lock", true],
    ["a/x___locker", false],
    ["a/lock", false],
  ])("isLockKey(%j) is %s", (key, expected) => expect(isLockKey(key)).toBe(expected));
});
