import { describe, expect, it } from "vitest";
import type { WatchSink } from "../../../src/core/driver.js";
import { asStoreError, StoreError } from "../../../src/core/errors.js";
import { KVPair } from "../../../src/core/pair.js";
import { type PolledMember, type PolledSource, PolledWatch, type Telling } from "../../../src/core/polled-watch.js";
import { createDeferred, type Deferred } from "../../../src/util/deferred.js";
import { ManualClock, settle } from "./support/manual-clock.js";

const state = new KVPair("k", new Uint8Array(), 1n);

/** A source whose answers the test gives, and what it was asked so far. */
class Source implements PolledSource {
  readonly asked: ("read" | "poll")[] = [];
  continues = false;
  forgotten = 0;
  #answer: Deferred<Telling | undefined> | undefined;

  forget(): void {
    this.continues = false;
    this.forgotten++;
  }

  read(signal: AbortSignal): Promise<Telling> {
    return this.#ask("read", signal) as Promise<Telling>;
  }

  poll(signal: AbortSignal): Promise<Telling | undefined> {
    return this.#ask("poll", signal);
  }

  explain(error: unknown): StoreError {
    return asStoreError(error);
  }

  #ask(question: "read" | "poll", signal: AbortSignal): Promise<Telling | undefined> {
    this.asked.push(question);
    const answer = createDeferred<Telling | undefined>();
    signal.addEventListener("abort", () => answer.reject(signal.reason));
    this.#answer = answer;
    return answer.promise;
  }

  /** Answers the question that is under way with a state; `spacingMs` until the next question. */
  async answer(spacingMs = 0): Promise<void> {
    this.continues = true;
    this.#answer!.resolve((members: readonly PolledMember[]) => {
      for (const { sink } of members) sink.snapshot([state]);
      return spacingMs;
    });
    await settle();
  }

  /** As when the server had nothing to tell for so long as it waits. */
  async nothing(): Promise<void> {
    this.#answer!.resolve(undefined);
    await settle();
  }

  async fail(error: unknown = new StoreError("BACKEND", "no")): Promise<void> {
    this.#answer!.reject(error);
    await settle();
  }
}

function create() {
  const clock = new ManualClock();
  const source = new Source();
  const suspended: StoreError[] = [];
  const watch = new PolledWatch(source, { clock, suspended: (reason) => suspended.push(reason) });
  /** A member, and what it was told. */
  const join = () => {
    const told: string[] = [];
    const sink: WatchSink = {
      snapshot: () => told.push("snapshot"),
      changes: () => told.push("changes"),
      fail: ({ code }) => told.push(code),
    };
    return { member: watch.join(sink, undefined), told };
  };
  return { clock, source, suspended, watch, join };
}

describe("a polled watch", () => {
  it("reads once for those who join in one turn, and then polls, one question at a time", async () => {
    const { source, join, watch } = create();
    const [one, two] = [join(), join()];
    await settle();
    expect([source.asked, watch.members]).toEqual([["read"], 2]);
    await source.answer();
    expect([one.told, two.told]).toEqual([["snapshot"], ["snapshot"]]);
    expect(source.asked).toEqual(["read", "poll"]);
    await source.answer();
    await source.nothing();
    expect(source.asked).toEqual(["read", "poll", "poll", "poll"]);
    expect(one.told).toEqual(["snapshot", "snapshot"]);
  });

  it("gives who asks for a fresh state the answer to a read that was sent after it asked", async () => {
    const { source, join, watch } = create();
    const one = join();
    await settle();
    const late = join();
    await source.answer();
    expect([one.told, late.told]).toEqual([["snapshot"], []]);
    expect(source.asked).toEqual(["read", "read"]);
    watch.refresh(one.member);
    await source.answer();
    expect([one.told, late.told]).toEqual([["snapshot"], ["snapshot"]]);
    await source.answer();
    expect([one.told, late.told]).toEqual([
      ["snapshot", "snapshot"],
      ["snapshot", "snapshot"],
    ]);
    expect(source.asked).toEqual(["read", "read", "read", "poll"]);
    // A poll that only waits is in the way.
    watch.refresh(late.member);
    await settle();
    expect(source.asked.at(-1)).toBe("read");
    expect(source.forgotten).toBe(0);
  });

  it("keeps questions as far apart as the source says, the time of the answer included", async () => {
    const { clock, source, join } = create();
    join();
    await settle();
    await source.answer(10);
    expect([source.asked.length, clock.delays]).toEqual([1, [10]]);
    await clock.advance(9);
    expect(source.asked).toHaveLength(1);
    await clock.advance(1);
    expect(source.asked).toEqual(["read", "poll"]);
    clock.jump(4);
    await source.answer(10);
    expect(clock.delays).toEqual([6]);
    await clock.advance(6);
    clock.jump(20_000);
    await source.answer(10);
    expect([clock.timers, source.asked.length]).toEqual([0, 4]);
  });

  it("lets rests that are shorter than a timer can keep add up", async () => {
    const { clock, source, join } = create();
    join();
    await settle();
    await source.answer(0.5);
    expect([clock.timers, source.asked.length]).toEqual([0, 2]);
    await source.answer(0.75);
    expect([clock.delays, source.asked.length]).toEqual([[1.25], 2]);
    await clock.advance(1.25);
    expect(source.asked).toHaveLength(3);
    await source.answer(0.75);
    // What the server took comes off what is owed.
    clock.jump(10);
    await source.answer(0.5);
    await source.answer(0.5);
    expect([clock.timers, source.asked.length]).toEqual([0, 6]);
  });

  it("reads anew after a failure, after pauses that grow until a poll is answered", async () => {
    const { clock, source, suspended, join } = create();
    const { told } = join();
    await settle();
    const pauses: number[] = [];
    const failed = async (error?: unknown): Promise<void> => {
      await source.fail(error);
      pauses.push(clock.delays[0]!);
      await clock.advance(clock.delays[0]!);
    };
    await failed(new StoreError("UNREACHABLE", "gone"));
    expect(suspended).toHaveLength(1);
    for (let again = 0; again < 7; again++) {
      // That the state can be read is not yet a reason to ask at once.
      await source.answer();
      expect(source.asked.slice(-2)).toEqual(["read", "poll"]);
      await failed();
    }
    for (const [at, pauseMs] of pauses.entries()) {
      const boundMs = Math.min(50 * 2 ** at, 2_000);
      expect(pauseMs).toBeGreaterThanOrEqual(boundMs / 2);
      expect(pauseMs).toBeLessThanOrEqual(boundMs);
    }
    expect([source.forgotten, suspended.length, told.length]).toEqual([8, 1, 7]);
    await source.answer();
    await source.nothing();
    await source.fail();
    expect(clock.delays[0]).toBeLessThanOrEqual(50);
  });

  it("fails for good where the server says that it always will", async () => {
    const { clock, source, join, watch } = create();
    const [one, two] = [join(), join()];
    await settle();
    await source.answer();
    await source.fail(new StoreError("PERMISSION_DENIED", "not you"));
    expect(one.told).toEqual(["snapshot", "PERMISSION_DENIED"]);
    expect(two.told).toEqual(["snapshot", "PERMISSION_DENIED"]);
    await clock.advance(10_000);
    expect([source.asked.length, clock.timers, watch.members]).toEqual([2, 0, 0]);
  });

  it("ends with the last to leave, be it in a poll, a read or a pause", async () => {
    for (const before of ["read", "poll", "pause"]) {
      const { clock, source, join, watch } = create();
      const [one, two] = [join(), join()];
      await settle();
      if (before === "poll") await source.answer();
      if (before === "pause") await source.fail();
      const asked = source.asked.length;
      watch.leave(one.member);
      await settle();
      watch.leave(two.member);
      await clock.advance(10_000);
      expect([source.asked.length, clock.timers, source.forgotten], before).toEqual([
        asked,
        0,
        before === "pause" ? 1 : 0,
      ]);
    }
  });
});
