import * as fc from "fast-check";
import { expect, it } from "vitest";
import { compareBytes, copyBytes, decodeUtf8, encodeUtf8, equalBytes, pooledBase64 } from "../../../src/util/bytes.js";

const bytes = fc.uint8Array({ maxLength: 6, max: 3 });

it("compares as Buffer does, and knows equal bytes", () => {
  fc.assert(
    fc.property(bytes, bytes, (left, right) => {
      expect(Math.sign(compareBytes(left, right))).toBe(Buffer.compare(left, right));
      expect(equalBytes(left, right)).toBe(Buffer.compare(left, right) === 0);
    }),
  );
});

it("text goes to bytes and back, a byte order mark kept", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(decodeUtf8(encodeUtf8(`\ufeff${text}`))).toBe(`\ufeff${text}`);
    }),
  );
});

it.each([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]])(
  "bytes that are not UTF-8 are no text: %s",
  (...bad) => {
    expect(() => decodeUtf8(new Uint8Array(bad))).toThrow(TypeError);
  },
);

it("a copy shares no memory, of a view neither", () => {
  const original = new Uint8Array([1, 2, 3, 4]);
  const copy = copyBytes(original.subarray(1, 3));
  original.fill(0);
  expect([...copy]).toEqual([2, 3]);
  expect(copy.buffer.byteLength).toBe(2);
});

it("base64 becomes the bytes that Buffer makes of it, each in a place of its own", () => {
  const texts = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }).map((value) => Buffer.from(value).toString("base64")),
    fc.string({ maxLength: 20 }),
    fc.constantFrom("", "=", "==", "====", "QQ", "QUI", "QUJD=", "QQ==QQ==", "Q Q="),
  );
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 30 }), (several) => {
      const all = several.map(pooledBase64);
      for (const [at, found] of all.entries()) {
        expect(Buffer.from(found).equals(Buffer.from(several[at]!, "base64"))).toBe(true);
        expect(Buffer.isBuffer(found)).toBe(false);
        found.fill(1);
      }
    }),
  );
});
