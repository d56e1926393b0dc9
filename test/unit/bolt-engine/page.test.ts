import { describe, expect, test } from "vitest";
import { Inode, Node } from "../../../src/bolt/engine/node.js";
import { branchFlag, leafFlag } from "../../../src/bolt/engine/page-layout.js";
import { headRoom, Page } from "../../../src/bolt/engine/page.js";
import { createSlab } from "../../../src/bolt/engine/slab.js";
import { serializeNode } from "../../../src/bolt/engine/serialize.js";
import { findPageFault } from "../../../src/bolt/engine/validate-page.js";
import { bytes, seededRandom, text } from "./support.js";

const length = 4096;

/** A page of these keys, which must be in order; each value is its key twice. */
function pageOf(keys: readonly Uint8Array[], isLeaf = true): Page {
  const inodes = keys.map((key, index) => {
    const memory = new Uint8Array(Buffer.concat([key, key, key]));
    const inode = new Inode(memory, 0, key.length, isLeaf ? 2 * key.length : 0, 0, isLeaf ? 0 : 100 + index);
    return inode;
  });
  const slab = createSlab(2 * (length + headRoom(length)));
  const place = { id: 7, overflow: 0, slab, start: length + headRoom(length), length };
  return serializeNode(new Node(isLeaf, inodes), 0, inodes.length, place);
}

const inOrder = (keys: Iterable<string>): Uint8Array[] =>
  [...new Set(keys)]
    .map((key) => new Uint8Array(Buffer.from(key, "latin1")))
    .toSorted((left, right) => Buffer.compare(left, right));

describe("a page as written", () => {
  test("has the layout of bbolt's leaf", () => {
    const page = Buffer.from(pageOf([bytes("a"), bytes("bc")]).view());
    expect(page.readBigUInt64LE(0)).toBe(7n);
    expect([page.readUInt16LE(8), page.readUInt16LE(10), page.readUInt32LE(12)]).toEqual([leafFlag, 2, 0]);
    const element = (at: number) => [0, 4, 8, 12].map((offset) => page.readUInt32LE(at + offset));
    expect(element(16)).toEqual([0, 32, 1, 2]);
    expect(element(32)).toEqual([0, 19, 2, 4]);
    expect(page.toString("latin1", 48, 57)).toBe("aaabcbcbc");
  });

  test("has the layout of bbolt's branch", () => {
    const page = Buffer.from(pageOf([bytes("a"), bytes("bc")], false).view());
    expect([page.readUInt16LE(8), page.readUInt16LE(10)]).toEqual([branchFlag, 2]);
    expect([page.readUInt32LE(16), page.readUInt32LE(20), page.readBigUInt64LE(24)]).toEqual([32, 1, 100n]);
    expect([page.readUInt32LE(32), page.readUInt32LE(36), page.readBigUInt64LE(40)]).toEqual([17, 2, 101n]);
  });

  test("is found sound", () => {
    expect(findPageFault(pageOf(inOrder(["a", "b", "c"])), 200)).toBeUndefined();
    expect(findPageFault(pageOf(inOrder(["a", "b", "c"]), false), 200)).toBeUndefined();
    expect(findPageFault(pageOf(inOrder(["a", "b", "c"]), false), 102)).toMatch(/element 2 points to page 102/);
  });
});

describe("searching a page", () => {
  /** Keys that differ early, late, by length only, in high bytes, and around zero bytes. */
  const random = seededRandom(3);
  const sets: Record<string, string[]> = {
    "numbered keys": Array.from({ length: 60 }, (_, index) => `prefix/${String(index * 3).padStart(6, "0")}`),
    "keys that are each other's starts": Array.from({ length: 40 }, (_, index) => "k".repeat(index + 1)),
    "zero bytes at the end": ["k", "k\0", "k\0\0", "k\0\0\0", "k\0\0\0\0", "k\0\0\0\0\0", "k\x01", "k\x01\0", "l", "m"],
    "high bytes": Array.from({ length: 60 }, (_, index) => `k${String.fromCharCode(255 - index, 255, 128 + index)}`),
    "heads that tie": Array.from({ length: 60 }, (_, index) => `k/same${String(index).padStart(3, "0")}`).concat(
      "a",
      "z",
    ),
    "few keys": ["b", "d", "f"],
    "random keys": Array.from({ length: 60 }, () =>
      Array.from({ length: 1 + Math.floor(random() * 4) }, () => "ab\0\xff"[Math.floor(random() * 4)]).join(""),
    ),
  };

  test.each(Object.keys(sets))("finds every key and every gap among %s", (name) => {
    const keys = inOrder(sets[name]!);
    const [leaf, branch] = [pageOf(keys), pageOf(keys, false)];
    const wanted = inOrder(
      [...sets[name]!].flatMap((key) => [key, `${key}\0`, `${key}z`, key.slice(0, -1), `${key.slice(0, -1)}\x01`]),
    );
    // Repeated, for a page searched often keeps the heads of its keys.
    for (let round = 0; round < 3; round++) {
      for (const key of wanted) {
        const below = keys.filter((other) => Buffer.compare(other, key) < 0).length;
        const there = keys.some((other) => Buffer.compare(other, key) === 0);
        expect(leaf.findLeaf(key), `${round}: ${JSON.stringify(text(bytes(key.join())))}`).toBe(there ? below : ~below);
        expect(branch.findBranch(key)).toBe(there ? below : Math.max(below - 1, 0));
      }
    }
    expect(keys.map((_, index) => leaf.key(index))).toEqual(keys);
  });

  test.each(Object.keys(sets))("finds the same in a copy that was told of the heads, among %s", (name) => {
    const keys = inOrder(sets[name]!);
    const page = pageOf(keys);
    for (let round = 0; round < 3; round++) for (const key of keys) page.findLeaf(key);
    // With other bytes where the heads go, so that only what is told of is found.
    const slab = createSlab(3 * (length + headRoom(length)));
    slab.bytes.fill(0xa5);
    const start = 2 * (length + headRoom(length));
    slab.bytes.set(page.view(), start);
    const copy = new Page(9, slab, start, length);
    copy.takeHeadsOf(page);
    for (const [index, key] of keys.entries()) expect(copy.findLeaf(key)).toBe(index);
    for (const key of keys) {
      const gap = Buffer.concat([key, Buffer.of(0, 1)]);
      expect(copy.findLeaf(gap)).toBe(page.findLeaf(gap));
    }
  });
});
