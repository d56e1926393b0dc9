import type { Clock } from "../../util/clock.js";
import { Alarm } from "./alarm.js";

/** The part of the timeout given up, so that timers that run late and clocks that drift do not matter. */
const marginShare = 0.02;

/**
 * Until when a session surely lives, by this process's own clock. A server counts the timeout from when it last heard
 * of the session, which is no earlier than when something it has answered was sent; so from the sending of the last
 * thing answered on, the timeout is a span in which no server can have expired it.
 */
export class SessionDeadline {
  readonly #alarm: Alarm;
  #timeoutMs = 0;
  #aliveAt = Number.NEGATIVE_INFINITY;

  /** `onPassed` is called once when the deadline passes; `grant` starts it again. */
  constructor(clock: Clock, onPassed: () => void) {
    this.#alarm = new Alarm(clock, (now) => {
      if (now < this.time) return this.time;
      onPassed();
      return undefined;
    });
  }

  /** The deadline, by the clock. */
  get time(): number {
    return this.#aliveAt + this.#timeoutMs * (1 - marginShare);
  }

  /** A server granted or confirmed the session in answer to something sent at this time. */
  grant(sentAt: number, timeoutMs: number): void {
    this.#alarm.cancel();
    this.#timeoutMs = timeoutMs;
    this.#aliveAt = sentAt;
    this.#alarm.atLatest(this.time);
  }

  /** A server answered something sent at this time. */
  acknowledge(sentAt: number): void {
    if (sentAt > this.#aliveAt) this.#aliveAt = sentAt;
  }

  cancel(): void {
    this.#alarm.cancel();
    this.#aliveAt = Number.NEGATIVE_INFINITY;
  }
}
