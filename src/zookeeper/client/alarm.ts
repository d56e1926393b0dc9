import type { Clock, Timer } from "../../util/clock.js";

/**
 * One timer for many deadlines. `atLatest` is cheap when the deadline lies behind the one already set, which is the
 * usual case; what is due is for the owner to find when `ring` is called. `ring` returns the next deadline, if any.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(clock: Clock, ring: (now: number) => number | undefined) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Makes sure the alarm rings by this time of the clock. */
  atLatest(time: number): void {
    if (time >= this.#dueAt) return;
    this.#timer?.cancel();
    this.#dueAt = time;
    this.#timer = this.#clock.after(Math.max(time - this.#clock.now(), 0), () => this.#fire(), { keepAlive: false });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
  }

  #fire(): void {
    const now = this.#clock.now();
    // Timers may run a little early by the clock.
    const early = this.#dueAt - now;
    this.#timer = undefined;
    this.#dueAt = Number.POSITIVE_INFINITY;
    const next = early > 0 ? now + early : this.#ring(now);
    if (next !== undefined) this.atLatest(next);
  }
}
