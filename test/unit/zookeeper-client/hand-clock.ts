import type { Clock, Timer } from "../../../src/util/clock.js";

/** A clock that stands still until it is turned. */
export class HandClock implements Clock {
  #now = 1_000;
  readonly #timers = new Set<{ dueAt: number; fn: () => void }>();

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): Timer {
    const timer = { dueAt: this.#now + delayMs, fn };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and with it the timers, each at its time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueAt }) => dueAt <= end).sort((a, b) => a.dueAt - b.dueAt);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.fn();
    }
    this.#now = end;
  }
}
