import { describe, expect, it, vi } from "vitest";
import os from "node:os";
import { systemClock } from "../../../src/util/clock.js";
import { settledWithin } from "../../../src/util/settled-within.js";
import { ShiftedClock } from "../../../src/util/shifted-clock.js";
import { sleep } from "../../../src/util/sleep.js";
import { countListeners } from "../core/support/listeners.js";
import { ManualClock, settle } from "../core/support/manual-clock.js";

describe("the system's clock", () => {
  it("fires timers, and not those that were taken back", async () => {
    const fired: string[] = [];
    const began = systemClock.now();
    systemClock.after(5, () => fired.push("cancelled")).cancel();
    await new Promise<void>((resolve) => systemClock.after(20, () => resolve(void fired.push("fired"))));
    expect(fired).toEqual(["fired"]);
    expect(systemClock.now() - began).toBeGreaterThanOrEqual(19);
  });

  it("does not fire a timer of more than 24 days at once", async () => {
    let fired = false;
    const timers = [2 ** 31, 2 ** 40, Number.POSITIVE_INFINITY].map((delayMs) =>
      systemClock.after(delayMs, () => (fired = true)),
    );
    await sleep(20);
    for (const timer of timers) timer.cancel();
    expect(fired).toBe(false);
  });

  it("counts time in which the machine was suspended", async () => {
    const before = systemClock.now();
    const uptime = os.uptime();
    const spy = vi.spyOn(os, "uptime").mockImplementation(() => uptime + 3_600);
    try {
      await sleep(150);
      expect(systemClock.now() - before).toBeGreaterThan(3_500_000);
    } finally {
      spy.mockRestore();
    }
    await sleep(150);
    expect(systemClock.now() - before, "and never goes back").toBeGreaterThan(3_500_000);
  });
});

describe("a shifted clock", () => {
  it("fires what becomes due in order, each at its time, also timers that timers set", async () => {
    const base = new ManualClock();
    const clock = new ShiftedClock(base);
    const began = clock.now();
    const fired: string[] = [];
    const note = (name: string): void => void fired.push(`${name} ${clock.now() - began}`);
    clock.after(300, () => note("third"));
    clock.after(100, () => {
      note("first");
      clock.after(100, () => note("second"));
    });
    clock.after(50, () => note("cancelled")).cancel();
    clock.after(501, () => note("too late"));
    await clock.advance(500);
    expect(fired).toEqual(["first 100", "second 200", "third 300"]);
    expect(clock.now() - began).toBe(500);
    expect(clock.wallTime() - base.wallTime()).toBe(500);
  });

  it("runs with its base too, and fires nothing twice", async () => {
    const base = new ManualClock();
    const clock = new ShiftedClock(base);
    let fired = 0;
    clock.after(100, () => fired++);
    await base.advance(100);
    expect(fired).toBe(1);
    await clock.advance(1_000);
    expect(fired).toBe(1);
  });
});

describe("sleep", () => {
  it("ends when its time is over, or at once by an abort, and leaves no listener", async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const listeners = countListeners(abort.signal);
    const slept = sleep(100, { clock, signal: abort.signal });
    await clock.advance(100);
    await slept;
    expect(listeners()).toBe(0);
    const reason = new Error("enough");
    const aborted = sleep(100, { clock, signal: abort.signal });
    abort.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(clock.timers).toBe(0);
    await expect(sleep(100, { clock, signal: abort.signal })).rejects.toBe(reason);
  });
});

describe("settledWithin", () => {
  it("waits for good and bad ends, but no longer than it may", async () => {
    const clock = new ManualClock();
    await settledWithin(Promise.resolve(), 100, clock);
    await settledWithin(Promise.reject(new Error("bad")), 100, clock);
    expect(clock.timers).toBe(0);
    let over = false;
    void settledWithin(new Promise(() => {}), 100, clock).then(() => (over = true));
    await clock.advance(99);
    expect(over).toBe(false);
    await clock.advance(1);
    await settle();
    expect(over).toBe(true);
  });
});
