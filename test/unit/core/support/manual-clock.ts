import type { Clock, Timer } from "../../../../src/util/clock.js";

interface Pending {
  readonly at: number;
  readonly fn: () => void;
}

/** Lets everything that is ready run: promises, and what they lead to. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A clock that stands still until it is turned by hand. */
export class ManualClock implements Clock {
  readonly #pending = new Set<Pending>();
  #now = 1_000;

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  after(delayMs: number, fn: () => void): Timer {
    const pending = { at: this.#now + Math.max(delayMs, 0), fn };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#pending.size;
  }

  /** When the timers that are set will fire, in milliseconds from now, soonest first. */
  get delays(): number[] {
    return [...this.#pending].map(({ at }) => at - this.#now).sort((left, right) => left - right);
  }

  /** Lets time pass from timer to timer, and between two of them everything run that the first one started. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settle();
    for (;;) {
      const [next] = [...this.#pending].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#pending.delete(next);
      next.fn();
      await settle();
    }
    this.#now = end;
  }

  /** Time passes and no timer runs, as for a process that was stopped. */
  jump(byMs: number): void {
    this.#now += byMs;
  }
}
