import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MarshallingError } from "../../../src/zookeeper/client/error-codes.js";
import { FrameReader } from "../../../src/zookeeper/client/framing.js";

function frame(payload: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

describe("framing", () => {
  it("finds the same frames however the stream is cut", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 }), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(frame));
        const found: Uint8Array[] = [];
        const reader = new FrameReader(1_000, (buffer, start, end) =>
          found.push(Buffer.from(buffer.subarray(start, end))),
        );
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const end = Math.min(at + cuts[turn % cuts.length]!, stream.length);
          const chunk = Buffer.from(stream.subarray(at, end));
          reader.push(chunk);
          // As the socket does, which reads the next bytes into the same memory.
          chunk.fill(0xee);
          at = end;
        }
        expect(found.map((bytes) => Uint8Array.from(bytes))).toEqual(frames);
      }),
    );
  });

  it("refuses a length that is negative or over the limit, also when it arrives byte by byte", () => {
    for (const length of [-1, -(2 ** 31), 1_001, 2 ** 31 - 1]) {
      const head = Buffer.alloc(4);
      head.writeInt32BE(length);
      expect(() => new FrameReader(1_000, () => {}).push(head)).toThrow(MarshallingError);
      const slow = new FrameReader(1_000, () => {});
      const bytewise = (): void => {
        for (const byte of [...head, 0]) slow.push(Buffer.from([byte]));
      };
      expect(bytewise).toThrow(MarshallingError);
    }
  });

  it("sets memory aside for what has come, not for what was promised", () => {
    const promise = Buffer.alloc(4);
    promise.writeInt32BE(100_000_000);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 100 }, () => {
      const reader = new FrameReader(128 * 1024 * 1024, () => {});
      reader.push(Buffer.concat([promise, Buffer.alloc(1_000)]));
      return reader;
    });
    expect(readers).toHaveLength(100);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });
});
