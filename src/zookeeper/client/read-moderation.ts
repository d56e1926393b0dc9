import type { Clock, Timer } from "../../util/clock.js";

/** What can be kept from reading for a while; a socket. */
export interface PausableReads {
  pause(): unknown;
  resume(): unknown;
}

/** How long reading rests, in milliseconds: the least that timers know. */
const pauseMs = 1;
/** With fewer requests waiting than this, what comes is read at once: the server could be idle before reading goes on. */
const leastWaiting = 16;
/** A pause after which fewer than this wait was too long. */
const leastLeft = 8;
/** From so many bytes on, a read brings enough as it is, and a pause could make the sender wait for room. */
const fullReadBytes = 16 * 1024;
/** For how long there are no pauses after one in which the server has nearly run out of requests, in milliseconds. */
const shortestRestMs = 1;
const longestRestMs = 1_000;

/**
 * Moderates the reads of a busy connection, as network cards moderate their interrupts. A server answers pipelined
 * requests one by one, and each answer read by itself costs a wake-up, a read, and a write for what its caller sends next.
 * So while many requests wait, reading pauses after each read that brought little; then several answers are there
 * to be read together. The server works on what waits meanwhile. Where it is so fast that little is left to do
 * after a pause, there are none for a while, and for longer each time in a row.
 */
export class ReadModeration {
  readonly #reads: PausableReads;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #hasPaused = false;
  #restUntil = Number.NEGATIVE_INFINITY;
  #restMs = shortestRestMs;

  constructor(reads: PausableReads, clock: Clock) {
    this.#reads = reads;
    this.#clock = clock;
  }

  /** To be told of each read once it is handled: its bytes, the requests that still wait, and the clock's time. */
  afterRead(bytes: number, waiting: number, now: number): void {
    if (this.#hasPaused) this.#judgePause(waiting < leastLeft, now);
    if (waiting < leastWaiting || bytes >= fullReadBytes || now < this.#restUntil || this.#timer !== undefined) return;
    this.#hasPaused = true;
    this.#reads.pause();
    // It keeps the process alive, as the reading socket would.
    this.#timer = this.#clock.after(pauseMs, () => this.#resume());
  }

  /** Somebody has no time to lose: reads on, and does not pause for a while. */
  hurry(now: number): void {
    this.#restUntil = Math.max(this.#restUntil, now + shortestRestMs);
    if (this.#timer !== undefined) this.#resume();
  }

  /** The connection is over. */
  stop(): void {
    this.#timer?.cancel();
  }

  #judgePause(wasTooLong: boolean, now: number): void {
    this.#hasPaused = false;
    if (wasTooLong) this.#restUntil = Math.max(this.#restUntil, now + this.#restMs);
    this.#restMs = wasTooLong ? Math.min(this.#restMs * 4, longestRestMs) : Math.max(this.#restMs / 2, shortestRestMs);
  }

  #resume(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#reads.resume();
  }
}
