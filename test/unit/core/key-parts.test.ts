import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holds, type KeyPart, placeOf, splitKeys } from "../../../src/core/key-parts.js";

/** Splits the part of most keys, again and again, while there are no more than `most` parts. */
function splitAll(keys: readonly string[], most: number): KeyPart[] {
  let parts: KeyPart[] = [{ type: "prefix", path: "d/" }];
  for (;;) {
    const [largest, ...others] = parts.toSorted((a, b) => heldBy(b, keys).length - heldBy(a, keys).length);
    const smaller = splitKeys(heldBy(largest!, keys), most - others.length);
    if (smaller.length === 1) return parts;
    parts = [...others, ...smaller];
  }
}

const heldBy = (part: KeyPart, keys: readonly string[]): string[] => keys.filter((key) => holds(part, key));
const sizes = (parts: readonly KeyPart[], keys: readonly string[]): number[] =>
  parts.map((part) => heldBy(part, keys).length).toSorted((a, b) => b - a);
const paths = (parts: readonly KeyPart[]): string[] => parts.map(({ path }) => path);

/** No key can belong to two of them. */
function expectApart(parts: readonly KeyPart[]): void {
  for (const part of parts) expect(parts.filter(({ path }) => holds(part, path))).toEqual([part]);
}

describe("parts of the keys of a directory", () => {
  it("are what goes on with the same character behind what all have in common", () => {
    expect(splitKeys(["d/web-1", "d/web-10", "d/web-2", "d/web-23"], 9)).toEqual([
      { type: "prefix", path: "d/web-1" },
      { type: "prefix", path: "d/web-2" },
    ]);
  });

  it("are together where they would be too many, but no wider than they have to be", () => {
    expect(splitKeys(["d/web-1", "d/web-2", "d/web-3"], 2)).toEqual([{ type: "prefix", path: "d/web-" }]);
    expect(splitKeys(["d/web-1", "d/web-1"], 0)).toEqual([{ type: "key", path: "d/web-1" }]);
  });

  it("are single keys where others begin with them", () => {
    expect(splitKeys(["d/a", "d/ab", "d/abc", "d/ac"], 9)).toEqual([
      { type: "key", path: "d/a" },
      { type: "prefix", path: "d/ab" },
      { type: "prefix", path: "d/ac" },
    ]);
  });

  it("hold each key once, watched once or many times", () => {
    const keys = ["d/1", "d/1", "d/1", "d/10", "d/10", "d/2"];
    expect(sizes(splitAll(keys, 9), keys)).toEqual([3, 2, 1]);
  });

  it("end between characters, not within a surrogate pair", () => {
    expect(paths(splitKeys(["d/\u{1F600}", "d/\u{1F601}", "d/\u{1F601}x"], 9))).toEqual(["d/\u{1F600}", "d/\u{1F601}"]);
    const { beside, within } = placeOf("d/\u{1F602}", [{ type: "prefix", path: "d/\u{1F600}" }]);
    expect([beside.path, within.path]).toEqual(["d/\u{1F602}", "d/"]);
  });

  it("end in no segment of dots, which servers take for something else", () => {
    const keys = ["d/.a", "d/..b", "d/..c", "d/.d", "d/e"];
    expect(paths(splitKeys(keys, 9))).toEqual(["d/.a", "d/..b", "d/..c", "d/.d", "d/e"]);
    expect(paths(splitKeys(keys.slice(0, 2), 1))).toEqual(["d/"]);
    const { beside, within } = placeOf("d/..x", [{ type: "prefix", path: "d/..b" }]);
    expect([beside.path, within.path]).toEqual(["d/..x", "d/"]);
    expect(paths(splitKeys(["d/a.", "d/a.."], 9))).toEqual(["d/a.", "d/a.."]);
  });

  it("of numbers, of which most begin alike, become small where there is room", () => {
    const keys = Array.from({ length: 500 }, (_, at) => `d/${at}`);
    const shares = (most: number): number[] => {
      const parts = splitAll(keys, most);
      expectApart(parts);
      expect(parts.length).toBeLessThanOrEqual(most);
      expect(sizes(parts, keys).reduce((a, b) => a + b)).toBe(keys.length);
      return sizes(parts, keys);
    };
    expect(shares(9)).toEqual([500]);
    expect(shares(10)).toEqual([111, 111, 111, 111, 11, 11, 11, 11, 11, 1]);
    expect(shares(28).filter((size) => size > 11)).toEqual([111, 111, 111]);
    expect(shares(50)[0]).toBe(11);
  });

  it("of 1,000 names that look like chance are small too", () => {
    const keys = Array.from({ length: 1_000 }, (_, at) => `d/${createHash("sha1").update(String(at)).digest("hex")}`);
    const parts = splitAll(keys, 28);
    expectApart(parts);
    expect(parts).toHaveLength(16);
    expect(sizes(parts, keys).reduce((a, b) => a + b)).toBe(keys.length);
    expect(sizes(parts, keys)[0]).toBeLessThan(100);
  });

  const name = fc.string({
    unit: fc.constantFrom("a", "b", ".", "\u{1F600}", "\u{1F601}"),
    minLength: 1,
    maxLength: 6,
  });
  const names = fc.uniqueArray(
    name.filter((each) => each !== "." && each !== ".."),
    { minLength: 1 },
  );

  it("hold every key once, and a place for one more is beside them or within what begins like it", () => {
    fc.assert(
      fc.property(names, fc.nat(10), (found, most) => {
        const [late, ...keys] = found.map((each) => `d/${each}`);
        if (keys.length === 0) return;
        const parts = splitAll(keys, most);
        expectApart(parts);
        for (const key of keys) expect(parts.filter((part) => holds(part, key))).toHaveLength(1);
        for (const { path } of parts) expect(path).not.toMatch(/\/\.\.?$/);
        if (parts.some((part) => holds(part, late!))) return;
        const { beside, within } = placeOf(late!, parts);
        expectApart([...parts, beside]);
        expect(holds(beside, late!) && holds(within, late!)).toBe(true);
        const [taken, left] = [true, false].map((isWithin) =>
          parts.filter(({ path }) => path.startsWith(within.path) === isWithin),
        );
        expect(taken!.length).toBeGreaterThan(0);
        expectApart([...left!, within]);
      }),
    );
  });
});
