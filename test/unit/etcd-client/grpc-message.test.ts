import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { framed, MessageReader, messageIn } from "../../../src/etcd/client/grpc-message.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const bytes = (value: string): Uint8Array => Buffer.from(value, "latin1");

/** The same bytes in pieces that end at these places. */
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (whole.length + 1))), whole.length].toSorted((a, b) => a - b);
  return ends.map((end, at) => whole.subarray(ends[at - 1] ?? 0, end));
}

describe("a message on its way", () => {
  it("stands behind a byte for its compression, which is none, and four for its length", () => {
    expect([...framed(bytes("abc"))]).toEqual([0, 0, 0, 0, 3, 97, 98, 99]);
    expect([...framed(new Uint8Array(70_000)).subarray(0, 5)]).toEqual([0, 0, 1, 0x11, 0x70]);
  });

  it("is found in an answer, whole or in pieces", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (sent, places) => {
        expect(messageIn(cut(framed(sent), places))).toEqual(new Uint8Array(sent));
      }),
    );
  });

  it.each([
    ["nothing but a part of the prefix", [0, 0, 0], "ended within"],
    ["less than the prefix says", [0, 0, 0, 0, 3, 1, 2], "ended within"],
    ["more than the prefix says", [0, 0, 0, 0, 1, 1, 2], "goes on after"],
    ["a compressed message", [1, 0, 0, 0, 1, 1], "compressed"],
  ])("is not found in %s", (_, received, why) => {
    expect(() => messageIn([Buffer.from(received)])).toThrow(why);
  });
});

describe("messages of a stream", () => {
  it("come out as they went in, however they are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.array(fc.nat()), (sent, places) => {
        const reader = new MessageReader();
        const read: Uint8Array[] = [];
        for (const piece of cut(Buffer.concat(sent.map(framed)), places)) {
          reader.push(piece);
          for (let next = reader.next(); next !== undefined; next = reader.next()) read.push(next);
        }
        expect(read.map(text)).toEqual(sent.map(text));
      }),
    );
  });

  it("are refused when compressed, after those before", () => {
    const reader = new MessageReader();
    reader.push(Buffer.concat([framed(bytes("plain")), Buffer.from([1, 0, 0, 0, 0])]));
    expect(text(reader.next()!)).toBe("plain");
    expect(() => reader.next()).toThrow("compressed");
  });
});
