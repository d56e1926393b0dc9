import type { Clock } from "../util/clock.js";

/** An answer with less than so many characters that are no news costs little more than one without: some 30 short pairs. */
const negligible = 4_096;
/** So many characters in a second are no burden: they take the agent 3 ms to encode, and us less to look through. */
const bearablePerSecond = 1_000_000;
/** So many beyond that are one. */
const most = 2_000_000;

/** Adds up what the answers to a question carry besides news, for as long as it comes faster than it can be borne. */
export class Ballast {
  readonly #clock: Clock;
  #sum = 0;
  #addedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#addedAt = clock.now();
  }

  /** Takes in an answer's characters that were no news. Tells whether it has become too much; then it starts again. */
  add(characters: number): boolean {
    const now = this.#clock.now();
    const borne = ((now - this.#addedAt) * bearablePerSecond) / 1_000;
    this.#addedAt = now;
    this.#sum = Math.max(this.#sum - borne, 0);
    if (characters >= negligible) this.#sum += characters;
    if (this.#sum < most) return false;
    this.#sum = 0;
    return true;
  }
}
