import { timeout } from "../core/arguments.js";
import { StoreError, type StoreErrorCode } from "../core/errors.js";
import { canonicalKey } from "../core/keys.js";
import type { CallOptions, ReadOptions, Store } from "../core/store.js";
import { systemClock } from "../util/clock.js";
import { createDeferred } from "../util/deferred.js";
import { checked } from "./checked.js";
import { CounterWriter } from "./counter-writer.js";
import { readCounter } from "./counter-record.js";

/** A whole number in the store that many add to. */
export interface Counter {
  readonly key: string;
  /**
   * Adds to the count, 1 by default, and gives what it was right after. Additions that are called while another is under
   * way go out together, in one compare-and-set. Rejects with `TIMEOUT` after `timeoutMs` (default 5,000); its `outcome`
   * says `unknown` when it had been sent and no answer came.
   */
  add(amount?: number | bigint, options?: CallOptions): Promise<bigint>;
  /** The count; 0 while the key is absent. */
  value(options?: ReadOptions): Promise<bigint>;
}

/** A counter at `key`. Whoever adds should keep one object: additions share a compare-and-set only within it. */
export function createCounter(store: Store, key: string): Counter {
  return new StoredCounter(store, canonicalKey(key));
}

/** One call of `add`. */
class Addition {
  readonly amount: bigint;
  /** Whether it is part of a compare-and-set that was begun. */
  sent = false;
  settled = false;
  readonly #result = createDeferred<bigint>();

  constructor(amount: bigint) {
    this.amount = amount;
  }

  get result(): Promise<bigint> {
    return this.#result.promise;
  }

  resolve(count: bigint): void {
    this.settled = true;
    this.#result.resolve(count);
  }

  reject(error: unknown): void {
    this.settled = true;
    this.#result.reject(error);
  }
}

/** How long an addition may take, in milliseconds, unless it says otherwise. */
export const defaultTimeoutMs = 5_000;

class StoredCounter implements Counter {
  readonly key: string;
  readonly #store: Store;
  readonly #writer: CounterWriter;
  #waiting: Addition[] = [];
  #flushing = false;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.key = key;
    this.#writer = new CounterWriter(store, key);
  }

  async value(options?: ReadOptions): Promise<bigint> {
    return readCounter(this.#store.backend, await this.#store.get(this.key, options)).count;
  }

  async add(amount: number | bigint = 1n, options: CallOptions = {}): Promise<bigint> {
    const addition = new Addition(wholeNumber(amount, this.key));
    const place = { backend: this.#store.backend, key: this.key };
    const timeoutMs = checked(place, () => timeout(options.timeoutMs)) ?? defaultTimeoutMs;
    const { signal } = options;
    signal?.throwIfAborted();
    const onAbort = (): void => this.#giveUp(addition, "ABORTED", "the addition was given up", signal);
    signal?.addEventListener("abort", onAbort, { once: true });
    const late = (): void => this.#giveUp(addition, "TIMEOUT", `not added within ${timeoutMs} ms`);
    const timer = Number.isFinite(timeoutMs) ? systemClock.after(timeoutMs, late) : undefined;
    try {
      this.#waiting.push(addition);
      void this.#flush();
      return await addition.result;
    } finally {
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** As any write of the store: one that was not sent yet rejects with the signal's own reason. */
  #giveUp(addition: Addition, code: StoreErrorCode, reason: string, signal?: AbortSignal): void {
    const { sent } = addition;
    const details = { backend: this.#store.backend, key: this.key, outcome: sent ? "unknown" : "not-applied" } as const;
    const error = new StoreError(code, reason, { ...details, cause: signal?.reason });
    addition.reject(signal === undefined || sent ? error : signal.reason);
  }

  /** Sends what waits, all at once, and then what came meanwhile. Never rejects. */
  async #flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    // What is called in the same turn of the event loop shares the first compare-and-set.
    await Promise.resolve();
    for (;;) {
      const batch = this.#waiting.filter(({ settled }) => !settled);
      this.#waiting = [];
      if (batch.length === 0) break;
      await this.#send(batch);
    }
    this.#flushing = false;
  }

  async #send(batch: readonly Addition[]): Promise<void> {
    try {
      let sum = 0n;
      for (const { amount } of batch) sum += amount;
      const after = await this.#writer.add(sum, {
        onSend: () => {
          for (const addition of batch) addition.sent = true;
        },
        isWanted: () => batch.some(({ settled }) => !settled),
      });
      let count = after - sum;
      for (const addition of batch) {
        count += addition.amount;
        addition.resolve(count);
      }
    } catch (error) {
      for (const addition of batch) addition.reject(error);
    }
  }
}

function wholeNumber(amount: number | bigint, key: string): bigint {
  if (typeof amount === "bigint" || Number.isSafeInteger(amount)) return BigInt(amount);
  throw new StoreError("INVALID_ARGUMENT", `an amount is a whole number, not ${String(amount)}`, {
    key,
    outcome: "not-applied",
  });
}
