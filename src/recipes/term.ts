import { StoreError } from "../core/errors.js";
import type { LockHold } from "../core/store.js";
import { createDeferred } from "../util/deferred.js";

/** One time of being the leader, from the election to the end of what runs in it. */
export interface Term {
  readonly key: string;
  /** The leader's id. */
  readonly id: string;
  /** A fencing token: it grows from term to term, so that whatever the leader writes to can refuse an earlier one. */
  readonly token: bigint;
  /**
   * Fires when the term is over: lost (the reason is `LOCK_LOST`), before another can lead; or given up by `resign()` or
   * `stop()` (`ABORTED`), and then nobody else leads until the function has ended.
   */
  readonly signal: AbortSignal;
  /** Whether we lead by the clock, at this moment. Ask it after every pause. */
  readonly held: boolean;
}

/** A term as the campaign sees it. */
export class RunningTerm implements Term {
  readonly key: string;
  readonly id: string;
  readonly #hold: LockHold;
  readonly #ended = new AbortController();
  readonly #over = createDeferred<void>();

  constructor(hold: LockHold, id: string) {
    this.key = hold.key;
    this.id = id;
    this.#hold = hold;
    if (hold.signal.aborted) this.#onLost();
    hold.signal.addEventListener("abort", this.#onLost, { once: true });
  }

  get token(): bigint {
    return this.#hold.token;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  get held(): boolean {
    return !this.signal.aborted && this.#hold.held;
  }

  /** Resolves when the function has ended and the lock was given back. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Tells the function that the term is given up. */
  giveUp(reason: string): void {
    if (!this.signal.aborted) this.#ended.abort(new StoreError("ABORTED", reason, { key: this.key }));
  }

  /** The function has ended: gives the lock back, quietly if it is lost or the store is away, for then it runs out. */
  async close(): Promise<void> {
    this.#hold.signal.removeEventListener("abort", this.#onLost);
    this.giveUp("the term is over");
    await this.#hold[Symbol.asyncDispose]();
    this.#over.resolve();
  }

  readonly #onLost = (): void => this.#ended.abort(this.#hold.signal.reason);
}
