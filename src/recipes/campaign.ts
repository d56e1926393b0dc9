import type { LockHold, Store } from "../core/store.js";
import { Backoff } from "../util/backoff.js";
import { createDeferred } from "../util/deferred.js";
import { sleep } from "../util/sleep.js";
import { isPassing } from "./outages.js";
import { RunningTerm, type Term } from "./term.js";

/** What runs while leading. Told to end by `term.signal`; the leadership is given up when it has ended. */
export type TermFunction = (term: Term) => void | Promise<void>;

export interface CampaignParts {
  readonly store: Store;
  readonly key: string;
  readonly id: string;
  readonly ttlMs: number | undefined;
  /** How long to stay out after a term that was given up, in milliseconds. */
  readonly restMs: number;
  readonly onError: ((error: unknown) => void) | undefined;
  readonly fn: TermFunction;
}

/** One run of a candidate: waits for the lock, leads, and again, one term after the other, until it is stopped. */
export class Campaign {
  readonly #parts: CampaignParts;
  readonly #stop = new AbortController();
  readonly #finished = createDeferred<void>();
  readonly #backoff: Backoff;
  #term: RunningTerm | undefined;

  constructor(parts: CampaignParts) {
    this.#parts = parts;
    this.#backoff = new Backoff({ initialMs: parts.restMs, maximumMs: Math.max(parts.restMs, 30_000) });
  }

  get leading(): boolean {
    return this.#term?.held ?? false;
  }

  /** Rejects with what ends it other than `stop()`: a permanent error of the store, or one of the function's. */
  async run(): Promise<void> {
    try {
      for (;;) {
        const hold = await this.#untilElected();
        if (hold === undefined) return;
        await this.#lead(hold);
      }
    } finally {
      this.#finished.resolve();
    }
  }

  /** Ends the term that runs, if one does; resolves when it is over. */
  async resign(): Promise<void> {
    const term = this.#term;
    term?.giveUp("the leader resigned");
    await term?.over;
  }

  /** Ends the campaign; resolves when nothing of it is left. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#term?.giveUp("the candidate was stopped");
    await this.#finished.promise;
  }

  /** The lock, or `undefined` once the campaign is stopped. The lock itself waits through outages. */
  async #untilElected(): Promise<LockHold | undefined> {
    const { store, key, id, ttlMs } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        return await store.newLock(key, { value: id, ttlMs }).lock({ signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        if (!isPassing(error)) throw error;
        await this.#report(error);
      }
    }
    return undefined;
  }

  async #lead(hold: LockHold): Promise<void> {
    const term = new RunningTerm(hold, this.#parts.id);
    this.#term = term;
    if (this.#stop.signal.aborted) term.giveUp("the candidate was stopped");
    let failure: { readonly error: unknown } | undefined;
    try {
      // Stopped or lost in the moment of the election: there is nothing to begin.
      if (term.held) await this.#parts.fn(term);
    } catch (error) {
      if (!isEchoOf(term.signal, error)) failure = { error };
    }
    const lost = hold.signal.aborted;
    await term.close();
    this.#term = undefined;
    if (failure !== undefined) {
      if (!isPassing(failure.error) && this.#parts.onError === undefined) throw failure.error;
      return this.#report(failure.error);
    }
    this.#backoff.reset();
    // Others who wait get their turn, also where the backend does not serve them in order.
    if (!lost) await this.#rest(this.#parts.restMs);
  }

  /** Tells of what went wrong, and waits, longer each time, before the next try. */
  async #report(error: unknown): Promise<void> {
    this.#parts.onError?.(error);
    await this.#rest(this.#backoff.next());
  }

  async #rest(pauseMs: number): Promise<void> {
    await sleep(pauseMs, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

/** Causes of causes are followed no further than this: a chain may be a ring. */
const deepestCause = 16;

/** Whether a function failed only because its term was over: with the signal's reason, or what an abort is called. */
function isEchoOf(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  let cause = error;
  for (let depth = 0; depth < deepestCause && cause instanceof Error; depth++) {
    if (cause === signal.reason || cause.name === "AbortError") return true;
    cause = cause.cause;
  }
  return false;
}
