import type { ClientHttp2Session } from "node:http2";
import type { Clock, Timer } from "../../util/clock.js";

export interface SessionPingsOptions {
  session: ClientHttp2Session;
  clock: Clock;
  /** From the first call, or the last answer, to the next ping, in milliseconds. */
  intervalMs: number;
  /** How long a ping may go unanswered, in milliseconds. */
  timeoutMs: number;
  /** Whether calls are under way. */
  isBusy: () => boolean;
  /** A ping went unanswered. */
  onSilence: () => void;
}

/**
 * HTTP/2 pings that find out when a connection is dead on which calls wait for answers. None are sent while nothing is
 * under way: etcd hangs up on clients that do that.
 */
export class SessionPings {
  readonly #options: SessionPingsOptions;
  /** Runs to the next ping, or to the time at which its answer is late. */
  #timer: Timer | undefined;
  /** The time for a ping came when nothing was under way: the next call brings it. */
  #due = false;
  #stopped = false;

  constructor(options: SessionPingsOptions) {
    this.#options = options;
  }

  /** A call is under way. */
  busy(): void {
    if (this.#timer !== undefined || this.#stopped) return;
    if (this.#due) this.#ping();
    else this.#later();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #later(): void {
    this.#after(this.#options.intervalMs, () => {
      if (this.#options.isBusy()) return this.#ping();
      this.#timer = undefined;
      this.#due = true;
    });
  }

  #ping(): void {
    const { session, timeoutMs, onSilence } = this.#options;
    // A session that is over says so itself.
    if (session.destroyed) return;
    this.#due = false;
    this.#after(timeoutMs, onSilence);
    session.ping((error) => {
      if (error !== null || this.#stopped) return;
      this.#timer?.cancel();
      this.#later();
    });
  }

  #after(delayMs: number, fn: () => void): void {
    // The connection holds the process open while calls are under way.
    this.#timer = this.#options.clock.after(delayMs, fn, { keepAlive: false });
  }
}
