import { describe, expect, it } from "vitest";
import { JuteWriter } from "../../../src/zookeeper/client/codec.js";
import { syncOperation } from "../../../src/zookeeper/client/operations.js";
import { ReadModeration } from "../../../src/zookeeper/client/read-moderation.js";
import { Request } from "../../../src/zookeeper/client/request.js";
import { HandClock } from "./hand-clock.js";
import { openWire } from "./wire.js";

class Reads {
  paused = false;
  pauses = 0;
  pause(): void {
    this.paused = true;
    this.pauses++;
  }
  resume(): void {
    this.paused = false;
  }
}

const few = 100;
const many = 64;

function moderated(): { clock: HandClock; reads: Reads; moderation: ReadModeration } {
  const clock = new HandClock();
  const reads = new Reads();
  return { clock, reads, moderation: new ReadModeration(reads, clock) };
}

describe("the moderation of reads", () => {
  it("pauses for a millisecond after a read that brought little, while many requests wait", () => {
    const { clock, reads, moderation } = moderated();
    for (let round = 1; round <= 100; round++) {
      moderation.afterRead(few, many, clock.now());
      expect([reads.paused, reads.pauses]).toEqual([true, round]);
      clock.advance(0.9);
      expect(reads.paused).toBe(true);
      clock.advance(0.1);
      expect([reads.paused, clock.timers]).toEqual([false, 0]);
    }
  });

  it("never pauses with few requests waiting, nor when a read brought much", () => {
    const { clock, reads, moderation } = moderated();
    for (const waiting of [0, 1, 8, 15]) moderation.afterRead(few, waiting, clock.now());
    moderation.afterRead(16 * 1024, many, clock.now());
    expect([reads.pauses, clock.timers]).toEqual([0, 0]);
  });

  it("rests after a pause that left the server without work, longer each time, and up to a second", () => {
    const { clock, reads, moderation } = moderated();
    const rests: number[] = [];
    for (let time = 0; time < 8; time++) {
      moderation.afterRead(few, many, clock.now());
      expect(reads.paused).toBe(true);
      clock.advance(1);
      moderation.afterRead(few, 0, clock.now());
      const before = clock.now();
      const { pauses } = reads;
      for (;;) {
        moderation.afterRead(few, many, clock.now());
        if (reads.pauses > pauses) break;
        clock.advance(1);
      }
      rests.push(clock.now() - before);
      // That pause was a good one, so that the next is a pause by itself.
      clock.advance(1);
      moderation.afterRead(few, 0, clock.now());
      clock.advance(1_000);
    }
    expect(rests[0]).toBe(1);
    for (const [at, rest] of rests.entries()) expect(rest).toBeGreaterThanOrEqual(rests[at - 1] ?? 0);
    expect(rests.at(-1)).toBe(1_000);
  });

  it("rests briefly again once pauses were not too long", () => {
    const { clock, reads, moderation } = moderated();
    const pauseThatLeaves = (waiting: number): void => {
      moderation.afterRead(few, many, clock.now());
      clock.advance(1);
      moderation.afterRead(few, waiting, clock.now());
      if (reads.paused) clock.advance(1);
      clock.advance(1_000);
    };
    for (let time = 0; time < 6; time++) pauseThatLeaves(0);
    for (let time = 0; time < 12; time++) pauseThatLeaves(15);
    moderation.afterRead(few, many, clock.now());
    clock.advance(1);
    moderation.afterRead(few, 0, clock.now());
    clock.advance(1);
    const { pauses } = reads;
    moderation.afterRead(few, many, clock.now());
    expect(reads.pauses).toBe(pauses + 1);
  });

  it("reads on at once for somebody in a hurry, and leaves no timer behind", () => {
    const { clock, reads, moderation } = moderated();
    moderation.afterRead(few, many, clock.now());
    moderation.hurry(clock.now());
    expect([reads.paused, clock.timers]).toEqual([false, 0]);
    moderation.afterRead(few, many, clock.now());
    expect(reads.paused).toBe(false);
    clock.advance(1_000);
    moderation.afterRead(few, many, clock.now());
    moderation.stop();
    expect(clock.timers).toBe(0);
  });
});

describe("a connection", () => {
  /** Sends so many requests, and answers the first. */
  function answerOneOf(
    requests: number,
    options?: { moderated: boolean },
  ): ReturnType<typeof openWire> & { first: Promise<unknown> } {
    const { wire, connection } = openWire(options);
    const sent = Array.from({ length: requests }, () => new Request(syncOperation, { path: "/" }, "/", Infinity));
    for (const request of sent) {
      request.promise.catch(() => {});
      connection.send(request, 0);
    }
    const writer = new JuteWriter();
    const mark = writer.beginFrame();
    writer.int(sent[0]!.xid);
    writer.long(1n);
    writer.int(0);
    writer.string("/");
    writer.endFrame(mark);
    wire.emit("data", writer.take());
    return { wire, connection, first: sent[0]!.promise };
  }

  it("pauses with many requests on it, hands on what it has read all the same, and reads on", async () => {
    const { wire, first } = answerOneOf(64);
    expect(wire.isPaused()).toBe(true);
    await first;
    await expect.poll(() => wire.isPaused()).toBe(false);
  });

  it("does not pause with a few, nor where it may not, as over TLS", () => {
    expect(answerOneOf(16).wire.isPaused()).toBe(false);
    expect(answerOneOf(64, { moderated: false }).wire.isPaused()).toBe(false);
  });

  it("reads on for a request that is about to run out of time", () => {
    const { wire, connection } = answerOneOf(64);
    connection.hurry(0);
    expect(wire.isPaused()).toBe(false);
  });
});
