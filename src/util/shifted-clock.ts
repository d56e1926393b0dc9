import { type Clock, systemClock, type Timer } from "./clock.js";

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fn: () => void;
  timer: Timer | undefined;
}

/** A clock that runs with another one and can be moved forward by hand; timers that become due fire at once, in order. */
export class ShiftedClock implements Clock {
  readonly #base: Clock;
  readonly #pending = new Set<Pending>();
  #shiftMs = 0;
  #made = 0;

  constructor(base: Clock = systemClock) {
    this.#base = base;
  }

  now(): number {
    return this.#base.now() + this.#shiftMs;
  }

  wallTime(): number {
    return this.#base.wallTime() + this.#shiftMs;
  }

  after(delayMs: number, fn: () => void, options?: { keepAlive?: boolean | undefined }): Timer {
    const pending: Pending = { at: this.now() + delayMs, order: this.#made++, fn, timer: undefined };
    this.#pending.add(pending);
    pending.timer = this.#base.after(delayMs, () => this.#fire(pending), options);
    return {
      cancel: () => {
        this.#pending.delete(pending);
        pending.timer?.cancel();
      },
    };
  }

  /** Moves the time forward, step by step from one due timer to the next, so that each sees the time it was set for. */
  async advance(byMs: number): Promise<void> {
    const end = this.now() + byMs;
    for (;;) {
      const due = [...this.#pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (due === undefined) break;
      this.#shiftMs += Math.max(due.at - this.now(), 0);
      this.#fire(due);
      // What the timer started, such as a renewal or a write to memory, gets to run before the next timer.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#shiftMs += Math.max(end - this.now(), 0);
  }

  #fire(pending: Pending): void {
    if (!this.#pending.delete(pending)) return;
    pending.timer?.cancel();
    pending.fn();
  }
}
