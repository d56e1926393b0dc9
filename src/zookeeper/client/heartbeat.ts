import type { Clock } from "../../util/clock.js";
import { Alarm } from "./alarm.js";

/** What a heartbeat asks of its connection. */
export interface HeartbeatActions {
  ping(now: number): void;
  /** Nothing was heard for two thirds of the session's timeout. */
  stalled(): void;
}

/** Given to the event loop to read what has already arrived, before silence is believed. */
const graceMs = 1;

/**
 * Keeps a session alive and notices a dead connection, at the times ZooKeeper's own client uses: a ping when nothing
 * was sent for a third of the negotiated timeout, and the end when nothing was heard for two thirds of it, which leaves
 * a third to reach another server.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #actions: HeartbeatActions;
  readonly #alarm: Alarm;
  #silenceSeen = false;
  /** When something was last sent and heard, by the clock. */
  lastSentAt: number;
  lastHeardAt: number;

  constructor(clock: Clock, timeoutMs: number, actions: HeartbeatActions) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#actions = actions;
    this.lastSentAt = clock.now();
    this.lastHeardAt = this.lastSentAt;
    this.#alarm = new Alarm(clock, (now) => this.#check(now));
    this.#alarm.atLatest(this.lastSentAt + timeoutMs / 3);
  }

  stop(): void {
    this.#alarm.cancel();
  }

  #check(now: number): number | undefined {
    const silentAt = this.lastHeardAt + (this.#timeoutMs * 2) / 3;
    if (now >= silentAt) {
      if (this.#silenceSeen) {
        this.#actions.stalled();
        return undefined;
      }
      // A process that was busy or stopped may find the answer in the socket once the event loop turns.
      this.#silenceSeen = true;
      return now + graceMs;
    }
    this.#silenceSeen = false;
    if (now >= this.lastSentAt + this.#timeoutMs / 3) {
      this.#actions.ping(now);
      this.lastSentAt = this.#clock.now();
    }
    return Math.min(this.lastSentAt + this.#timeoutMs / 3, silentAt);
  }
}
