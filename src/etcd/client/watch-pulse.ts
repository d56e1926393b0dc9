import type { Clock, Timer } from "../../util/clock.js";
import type { KeptStream } from "./kept-stream.js";
import { progressMessage } from "./watch-state.js";

/** How a silent watch stream is told from a dead one. */
export interface WatcherSettings {
  /** A stream silent for this long is asked for a sign of life. Default 10,000 milliseconds. */
  progressIntervalMs?: number | undefined;
  /** It is dropped when none comes within this time. Default 5,000 milliseconds. */
  progressTimeoutMs?: number | undefined;
}

/**
 * Notices a stream on which nothing comes any more: one cut off without a FIN, or a member that hangs. A silent stream
 * is asked for its progress. The answer counts as a sign of life and nothing else: on etcd 3.4 it may overtake events
 * older than the revision it names.
 */
export class WatchPulse {
  readonly #stream: KeptStream;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #answerMs: number;
  readonly #onSilence: (why: string, askedAt: number) => void;
  #timer: Timer | undefined;

  constructor(
    stream: KeptStream,
    clock: Clock,
    settings: WatcherSettings,
    onSilence: (why: string, askedAt: number) => void,
  ) {
    this.#stream = stream;
    this.#clock = clock;
    this.#intervalMs = settings.progressIntervalMs ?? 10_000;
    this.#answerMs = settings.progressTimeoutMs ?? 5_000;
    this.#onSilence = onSilence;
  }

  start(): void {
    this.stop();
    const silentMs = this.#clock.now() - this.#stream.heardAt;
    this.#after(Math.max(this.#intervalMs - silentMs, 0), () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #check(): void {
    const askedAt = this.#clock.now();
    if (askedAt - this.#stream.heardAt < this.#intervalMs) return this.start();
    this.#stream.send(progressMessage());
    this.#after(this.#answerMs, () => {
      if (this.#stream.heardAt >= askedAt) return this.start();
      this.#onSilence(`nothing heard on the watch stream in ${this.#intervalMs + this.#answerMs} ms`, askedAt);
    });
  }

  #after(delayMs: number, fn: () => void): void {
    this.#timer = this.#clock.after(delayMs, fn, { keepAlive: false });
  }
}
