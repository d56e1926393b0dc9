import { describe, expect, test } from "vitest";
import { findMeta, fnv1a64, type Meta, readMeta, writeMeta } from "../../../src/bolt/engine/meta.js";
import { bytes } from "./support.js";

const meta: Meta = {
  pageSize: 4096,
  root: 3,
  sequenceLow: 7,
  sequenceHigh: 1,
  freelist: 2,
  highWater: 2 ** 33 + 5,
  txid: 2 ** 40 + 1,
};

function page(content: Meta): Uint8Array {
  const written = new Uint8Array(content.pageSize);
  writeMeta(written, content);
  return written;
}

describe("the checksum", () => {
  // Test vectors of the FNV authors.
  test.each([
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"],
  ])("of %j is %s", (input, expected) => {
    const { low, high } = fnv1a64(bytes(input));
    expect(((BigInt(high) << 32n) | BigInt(low)).toString(16)).toBe(expected);
  });
});

describe("a meta page", () => {
  test("reads back as written, numbers over 32 bits included", () => {
    expect(readMeta(page(meta))).toEqual(meta);
  });

  test("without a stored freelist carries 2^64 - 1", () => {
    const written = page({ ...meta, freelist: undefined });
    expect(Buffer.from(written).readBigUInt64LE(16 + 32)).toBe(2n ** 64n - 1n);
    expect(readMeta(written)).toEqual({ ...meta, freelist: undefined });
  });

  test("is refused when any of its bytes changes", () => {
    for (let at = 16; at < 80; at++) {
      const damaged = page(meta);
      damaged[at]! ^= 0x10;
      expect(readMeta(damaged), `byte ${at}`).toBeTypeOf("string");
    }
  });

  test("is refused when cut short", () => {
    expect(readMeta(page(meta).subarray(0, 79))).toMatch(/cut short/);
  });
});

describe("the newest meta page", () => {
  const reader = (file: Uint8Array) => (offset: number, into: Uint8Array) => {
    const part = file.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  };
  const file = (first: Uint8Array, second: Uint8Array): Uint8Array => new Uint8Array(Buffer.concat([first, second]));

  test("is the one of the higher transaction", () => {
    const older = { ...meta, txid: 8 };
    const newer = { ...meta, txid: 9 };
    expect(findMeta("f", reader(file(page(older), page(newer)))).txid).toBe(9);
    expect(findMeta("f", reader(file(page({ ...meta, txid: 10 }), page(newer)))).txid).toBe(10);
  });

  test("is the sound one", () => {
    expect(findMeta("f", reader(file(page({ ...meta, txid: 8 }), new Uint8Array(4096)))).txid).toBe(8);
  });

  test("is CORRUPT where it says what cannot be: the older one would hide what was acknowledged", () => {
    const newest = file(page({ ...meta, txid: 8 }), page({ ...meta, root: meta.highWater, txid: 9 }));
    expect(() => findMeta("f", reader(newest))).toThrow(
      expect.objectContaining({ code: "CORRUPT", pageId: 1, message: expect.stringContaining("points to root page") }),
    );
    const older = file(page({ ...meta, txid: 10 }), page({ ...meta, root: meta.highWater, txid: 9 }));
    expect(findMeta("f", reader(older)).txid).toBe(10);
  });

  test.each([1024, 2048, 4096, 8192, 16_384, 32_768, 65_536])(
    "is found behind a lost meta 0 at page size %i",
    (size) => {
      const second = page({ ...meta, highWater: 4, pageSize: size, txid: 9 });
      expect(findMeta("f", reader(file(new Uint8Array(size), second)))).toMatchObject({ pageSize: size, txid: 9 });
    },
  );

  test("of another kind of file is CORRUPT, with the path", () => {
    const text = bytes("not a database ".repeat(10_000));
    expect(() => findMeta("/some/file", reader(text))).toThrow(
      expect.objectContaining({ code: "CORRUPT", pageId: 0, message: expect.stringContaining("/some/file") }),
    );
  });
});
