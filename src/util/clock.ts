import os from "node:os";

/** A timer that can be taken back. */
export interface Timer {
  cancel(): void;
}

/** Where time comes from: the real one below, or a hand-turned one in tests. All times are milliseconds. */
export interface Clock {
  /**
   * Monotonic time, never set back, that goes on while the machine is suspended. Only differences mean something.
   */
  now(): number;
  /** Wall-clock time since the epoch, for people and for files that outlive the process. */
  wallTime(): number;
  /** Calls `fn` once after `delayMs`. A timer with `keepAlive: false` does not hold the process open (default true). */
  after(delayMs: number, fn: () => void, options?: { keepAlive?: boolean | undefined }): Timer;
}

/** Node fires a timer of more than 2^31-1 ms at once; longer ones are cut into pieces of this. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * `performance.now()` stands still while the machine is suspended (CLOCK_MONOTONIC), `os.uptime()` does not
 * (CLOCK_BOOTTIME) but is coarse; whichever has moved further tells how much time has really passed.
 */
class SystemClock implements Clock {
  readonly #startedAt = performance.now();
  readonly #uptimeAtStart = os.uptime() * 1000;
  #nextUptimeCheck = 0;
  #suspendedMs = 0;

  now(): number {
    const monotonic = performance.now() - this.#startedAt;
    if (monotonic >= this.#nextUptimeCheck) this.#measureSuspension(monotonic);
    return monotonic + this.#suspendedMs;
  }

  /** Reading the uptime is a system call: ten times a second is enough to notice a suspension. */
  #measureSuspension(monotonic: number): void {
    this.#nextUptimeCheck = monotonic + 100;
    const ahead = os.uptime() * 1000 - this.#uptimeAtStart - monotonic;
    if (ahead > this.#suspendedMs + 1_000) this.#suspendedMs = ahead;
  }

  wallTime(): number {
    return Date.now();
  }

  after(delayMs: number, fn: () => void, options?: { keepAlive?: boolean | undefined }): Timer {
    let handle: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const stepMs = Math.min(Math.max(leftMs, 0), longestTimerMs);
      handle = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : fn()), stepMs);
      if (options?.keepAlive === false) handle.unref();
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(handle) };
  }
}

/** The real clock, one for the process. */
export const systemClock: Clock = new SystemClock();
