import type { Clock, Timer } from "../../util/clock.js";

/** Something that has to be over by a monotonic time, in milliseconds. */
interface Due {
  readonly deadline: number;
}

/** One timer for the deadlines of all calls under way: most calls are over long before theirs. */
export class CallDeadlines<Call extends Due> {
  readonly #clock: Clock;
  readonly #calls: () => Iterable<Call>;
  readonly #onExpired: (call: Call) => void;
  #timer: Timer | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  /** `calls` tells those under way. */
  constructor(clock: Clock, calls: () => Iterable<Call>, onExpired: (call: Call) => void) {
    this.#clock = clock;
    this.#calls = calls;
    this.#onExpired = onExpired;
  }

  /** There is a call with this deadline. */
  add(deadline: number): void {
    if (deadline >= this.#firesAt) return;
    this.stop();
    this.#firesAt = deadline;
    // The connection holds the process open while calls are under way.
    this.#timer = this.#clock.after(deadline - this.#clock.now(), () => this.#expire(), { keepAlive: false });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#firesAt = Number.POSITIVE_INFINITY;
  }

  #expire(): void {
    this.#firesAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#calls()) {
      if (call.deadline <= now) this.#onExpired(call);
      else next = Math.min(next, call.deadline);
    }
    this.add(next);
  }
}
