import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JuteReader, JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { MarshallingError } from "../../../src/zookeeper/client/error-codes.js";
import { readConnectResponse, readWatcherEvent, writeConnectRequest } from "../../../src/zookeeper/client/records.js";
import { Stat, Zxid } from "../../../src/zookeeper/client/stat.js";

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const string = fc.oneof(fc.string(), fc.string({ unit: "grapheme", maxLength: 200 }), fc.string({ minLength: 90 }));
const buffer = fc.option(fc.uint8Array({ maxLength: 10_000 }));

describe("the codec", () => {
  it("reads what it wrote", () => {
    const values = fc.array(
      fc.oneof(
        fc.record({ type: fc.constant("int" as const), value: int }),
        fc.record({ type: fc.constant("long" as const), value: long }),
        fc.record({ type: fc.constant("bool" as const), value: fc.boolean() }),
        fc.record({ type: fc.constant("string" as const), value: string }),
        fc.record({ type: fc.constant("buffer" as const), value: buffer }),
        fc.record({ type: fc.constant("vector" as const), value: fc.array(string, { maxLength: 30 }) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(values, (fields) => {
        const writer = new JuteWriter();
        for (const { type, value } of fields) {
          if (type === "int") writer.int(value);
          else if (type === "long") writer.long(value);
          else if (type === "bool") writer.bool(value);
          else if (type === "string") writer.string(value);
          else if (type === "buffer") writer.buffer(value);
          else writer.vector(value, (to, item) => to.string(item));
        }
        const reader = new JuteReader().reset(writer.take());
        const read = fields.map(({ type, value }) => {
          if (type === "vector") return { type, value: reader.vector((from) => from.string()) };
          if (type === "buffer") {
            const bytes = reader.buffer();
            return { type, value: bytes && Uint8Array.from(bytes) };
          }
          return { type, value: typeof value === "string" ? reader.string() : reader[type as "int"]() };
        });
        expect(read).toEqual(fields);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  it("frames requests, takes frames back, and never touches what it has handed out", () => {
    const writer = new JuteWriter();
    const handedOut: { bytes: Buffer; copy: Buffer }[] = [];
    for (let at = 0; at < 500; at++) {
      const mark = writer.beginFrame();
      writer.buffer(new Uint8Array(at * 7).fill(at));
      if (at % 3 === 0) writer.dropFrame(mark);
      else expect(writer.endFrame(mark)).toBe(4 + at * 7);
      if (at % 5 !== 0) continue;
      const bytes = writer.take();
      handedOut.push({ bytes, copy: Buffer.from(bytes) });
    }
    for (const { bytes, copy } of handedOut) expect(bytes.equals(copy)).toBe(true);
    const total = handedOut.reduce((sum, { bytes }) => sum + bytes.length, writer.length);
    const expected = Array.from({ length: 500 }, (_, at) => (at % 3 === 0 ? 0 : 8 + at * 7));
    expect(total).toBe(expected.reduce((sum, length) => sum + length));
  });

  it("writes numbers big-endian and null as length -1", () => {
    const writer = new JuteWriter();
    writer.int(-2);
    writer.long(1n);
    writer.buffer(null);
    writer.string("aé");
    expect(writer.take().toString("hex")).toBe("fffffffe0000000000000001ffffffff0000000361c3a9");
  });

  it("refuses lengths that cannot be, without making room for them", () => {
    const reader = new JuteReader();
    const frame = (...ints: number[]): Buffer => {
      const bytes = Buffer.alloc(ints.length * 4);
      ints.forEach((value, at) => bytes.writeInt32BE(value, at * 4));
      return bytes;
    };
    for (const length of [5, 2 ** 31 - 1, -2, -(2 ** 31)]) {
      expect(() => reader.reset(frame(length, 0)).string()).toThrow(MarshallingError);
      expect(() => reader.reset(frame(length, 0)).buffer()).toThrow(MarshallingError);
      expect(() => reader.reset(frame(length, 0)).vector((from) => from.string())).toThrow(MarshallingError);
    }
    expect(() =>
      reader
        .reset(frame(1, 2, 3))
        .reset(Buffer.alloc(3))
        .int(),
    ).toThrow(MarshallingError);
    // A part of a buffer ends where it was said to end.
    expect(() => reader.reset(frame(1, 2, 3), 4, 10).long()).toThrow(MarshallingError);
  });

  it("gives out small values as copies", () => {
    const writer = new JuteWriter();
    writer.buffer(Buffer.from("value"));
    const bytes = writer.take();
    const value = new JuteReader().reset(bytes).buffer();
    bytes.fill(0);
    expect(value?.toString()).toBe("value");
  });
});

describe("records", () => {
  it("reads a Stat, every half of every number", () => {
    fc.assert(
      fc.property(
        fc.array(long, { minLength: 6, maxLength: 6 }),
        fc.array(int, { minLength: 5, maxLength: 5 }),
        (l, i) => {
          const writer = new JuteWriter();
          for (const value of l.slice(0, 4)) writer.long(value);
          for (const value of i.slice(0, 3)) writer.int(value);
          writer.long(l[4]!);
          for (const value of i.slice(3)) writer.int(value);
          writer.long(l[5]!);
          const stat = new Stat(new JuteReader().reset(writer.take()));
          expect([stat.czxid, stat.mzxid, stat.ephemeralOwner, stat.pzxid]).toEqual([l[0], l[1], l[4], l[5]]);
          expect([stat.ctime, stat.mtime]).toEqual([Number(l[2]), Number(l[3])]);
          const { version, cversion, aversion, dataLength, numChildren } = stat;
          expect([version, cversion, aversion, dataLength, numChildren]).toEqual(i);
        },
      ),
    );
  });

  it("keeps the largest transaction number", () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), { minLength: 1 }), (values) => {
        const zxid = new Zxid();
        for (const value of values) zxid.raise(Number(value >> 32n), Number(BigInt.asIntN(32, value)));
        expect(zxid.value).toBe(values.reduce((a, b) => (a > b ? a : b)));
      }),
    );
  });

  it("writes the first words as servers read them", () => {
    const writer = new JuteWriter();
    writeConnectRequest(writer, {
      lastZxidSeen: 3n,
      timeoutMs: 4_000,
      sessionId: 5n,
      password: new Uint8Array([1, 2]),
      readOnly: true,
    });
    expect(writer.take().toString("hex")).toBe("00000000000000000000000300000fa0000000000000000500000002010201");
  });

  it("reads the answer, with and without the last byte that servers before 3.4 lack", () => {
    const answer = Buffer.from("000000000000138800000000000000ff000000010901", "hex");
    const password = Buffer.from([9]);
    const response = { timeoutMs: 5_000, sessionId: 255n, password };
    expect(readConnectResponse(new JuteReader().reset(answer))).toEqual({ ...response, readOnly: true });
    const old = answer.subarray(0, answer.length - 1);
    expect(readConnectResponse(new JuteReader().reset(old))).toEqual({ ...response, readOnly: false });
  });

  it("reads events, unknown ones too", () => {
    const event = (type: number): Buffer => {
      const writer = new JuteWriter();
      writer.int(type);
      writer.int(3);
      writer.string("/a");
      return writer.take();
    };
    expect(readWatcherEvent(new JuteReader().reset(event(4)))).toEqual({ type: "nodeChildrenChanged", path: "/a" });
    expect(readWatcherEvent(new JuteReader().reset(event(99)))).toEqual({ type: undefined, path: "/a" });
  });
});
