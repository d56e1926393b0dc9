import { describe, expect, it } from "vitest";
import { openAcl } from "../../../src/zookeeper/client/acl.js";
import { JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { createArgs, createOperation } from "../../../src/zookeeper/client/create.js";
import { ZooKeeperError } from "../../../src/zookeeper/client/errors.js";
import { multiArgs, multiOperation, multiReadOperation } from "../../../src/zookeeper/client/multi.js";
import {
  getAclOperation,
  getChildrenOperation,
  getDataOperation,
  getEphemeralsOperation,
  type Operation,
  whoAmIOperation,
} from "../../../src/zookeeper/client/operations.js";
import { Chroot } from "../../../src/zookeeper/client/paths.js";
import { Request } from "../../../src/zookeeper/client/request.js";
import { openWire } from "./wire.js";

/** A seeded source of chance (a linear congruential generator), so that a failure can be seen again. */
class Chance {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * bound);
  }
}

const chroot = new Chroot();
const path = "/a";

/** Requests, and for each the body of an answer that a server could give. */
const exchanges: readonly {
  operation: Operation<unknown, unknown>;
  args: unknown;
  answer: (to: JuteWriter) => void;
}[] = [
  { operation: getDataOperation, args: { path, watch: false }, answer: (to) => writeData(to) },
  {
    operation: getChildrenOperation,
    args: { path, watch: false },
    answer: (to) => {
      to.vector(["x", "yy", "zzz"], (writer, name) => writer.string(name));
      writeStat(to);
    },
  },
  {
    operation: createOperation("persistent"),
    args: createArgs(path, null, { acl: openAcl }, chroot),
    answer: (to) => {
      to.string(path);
      writeStat(to);
    },
  },
  {
    operation: multiOperation,
    args: multiArgs([{ type: "setData", path, data: null }], chroot),
    answer: (to) => {
      writeHeader(to, 5, false);
      writeStat(to);
      writeHeader(to, -1, true);
    },
  },
  {
    operation: multiReadOperation,
    args: { operations: [{ type: "getData", path }], chroot },
    answer: (to) => {
      writeHeader(to, 4, false);
      writeData(to);
      writeHeader(to, -1, false);
      to.int(-101);
      writeHeader(to, -1, true);
    },
  },
  {
    operation: getAclOperation,
    args: { path },
    answer: (to) => {
      to.int(1);
      to.int(31);
      to.string("world");
      to.string("anyone");
      writeStat(to);
    },
  },
  { operation: getEphemeralsOperation, args: { path }, answer: (to) => to.vector([path], (w, item) => w.string(item)) },
  {
    operation: whoAmIOperation,
    args: undefined,
    answer: (to) => to.vector(["ip"], (w, s) => (w.string(s), w.string(s))),
  },
];

function writeHeader(to: JuteWriter, opcode: number, done: boolean): void {
  to.int(opcode);
  to.bool(done);
  to.int(opcode);
}

function writeStat(to: JuteWriter): void {
  for (let at = 0; at < 17; at++) to.int(at);
}

function writeData(to: JuteWriter): void {
  to.buffer(new Uint8Array(20));
  writeStat(to);
}

/** The bytes of a good answer to request 1, a notification before it. */
function goodBytes(answer: (to: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  let mark = writer.beginFrame();
  for (const value of [-1, 0, 7, 0, 3, 3]) writer.int(value);
  writer.string(path);
  writer.endFrame(mark);
  mark = writer.beginFrame();
  for (const value of [1, 0, 8, 0]) writer.int(value);
  answer(writer);
  writer.endFrame(mark);
  return Buffer.from(writer.take());
}

/** Damages bytes in one of the ways that hostile or broken peers do. */
function damage(bytes: Buffer, chance: Chance): Buffer {
  if (bytes.length < 4) return bytes;
  const at = chance.below(bytes.length);
  const hostile = [-1, -2, 0, 1, 0x7fffffff, -0x80000000, 0x00ffffff, 0x01000000];
  switch (chance.below(6)) {
    case 0: // any byte
      bytes[at] = chance.below(256);
      return bytes;
    case 1: // a length, number or code that nobody expects
      bytes.writeInt32BE(hostile[chance.below(hostile.length)]!, Math.min(at, bytes.length - 4));
      return bytes;
    case 2: // the end missing, and the next frame in its place
      return Buffer.concat([bytes.subarray(0, at), bytes]);
    case 3: // something too much
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.alloc(chance.below(50), chance.below(256)),
        bytes.subarray(at),
      ]);
    case 4: // nothing but noise
      return Buffer.from(Array.from({ length: chance.below(200) }, () => chance.below(256)));
    default: // several damages
      return damage(damage(bytes, chance), chance);
  }
}

describe("hostile frames", () => {
  it("bring errors and nothing else, 60,000 of them, in bounded memory", async () => {
    const cases = 60_000;
    const chance = new Chance(20_261_122);
    const outcomes = { answered: 0, failed: 0, waiting: 0 };
    const memoryBefore = process.memoryUsage();
    let mostBuffers = 0;
    for (let at = 0; at < cases; at++) {
      const { operation, args, answer } = exchanges[at % exchanges.length]!;
      const { wire, connection } = openWire();
      connection.level = 3.7;
      let closedBy: unknown;
      connection.attach({
        onAcknowledged: () => {},
        onEvent: () => {},
        onClosed: (error) => {
          closedBy = error;
        },
      });
      const request = new Request(operation, args, path, Infinity);
      connection.send(request, 0);
      const bytes = damage(goodBytes(answer), chance);
      // As the socket does: what is thrown here would end the process.
      for (let from = 0; from < bytes.length; ) {
        const end = chance.below(3) === 0 ? bytes.length : from + 1 + chance.below(bytes.length - from);
        wire.emit("data", Buffer.from(bytes.subarray(from, end)));
        from = end;
      }
      if (!request.settled) {
        outcomes.waiting++;
        expect(closedBy).toBeUndefined();
        connection.destroy(new ZooKeeperError(0, "end of the case"));
      }
      const failed = await request.promise.then(
        () => false,
        (error: unknown) => error,
      );
      if (failed === false) outcomes.answered++;
      else {
        outcomes.failed++;
        expect(failed).toBeInstanceOf(ZooKeeperError);
      }
      if (closedBy !== undefined) expect(closedBy).toBeInstanceOf(ZooKeeperError);
      // Lets what is due at the end of a tick run, as between the chunks of a socket.
      if (at % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (at % 500 === 0) mostBuffers = Math.max(mostBuffers, process.memoryUsage().arrayBuffers);
    }
    // Each kind of end must have been met often, or the damage done was not what it should be.
    expect(outcomes.answered + outcomes.failed).toBe(cases);
    for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(cases / 50);
    expect(mostBuffers - memoryBefore.arrayBuffers).toBeLessThan(256 * 1024 * 1024);
    expect(process.memoryUsage().heapUsed - memoryBefore.heapUsed).toBeLessThan(256 * 1024 * 1024);
  }, 120_000);
});
