import type { Clock } from "../util/clock.js";
import { type Calls, traceOf } from "./calls.js";
import { callsAreTraced } from "./diagnostics.js";
import type { Acquired, Driver } from "./driver.js";
import { asStoreError, StoreError, type StoreErrorCode } from "./errors.js";
import { KeptLease } from "./kept-lease.js";
import type { CallOptions, LockHold } from "./store.js";

/** How long the quiet release of a lost or abandoned lock may take, in milliseconds. */
const abandonTimeoutMs = 2_000;

/** What a hold is made of. */
export interface HoldParts {
  readonly key: string;
  readonly acquired: Acquired;
  readonly driver: Driver;
  readonly calls: Calls;
  readonly clock: Clock;
  /** Called once, when it is over in any way. */
  readonly onEnd: () => void;
}

/** One acquisition of a lock, renewed until it is given back, lost, or its store closed. */
export class ManagedHold implements LockHold {
  readonly key: string;
  readonly token: bigint;
  readonly ttlMs: number;
  readonly #parts: HoldParts;
  readonly #kept: KeptLease;
  readonly #loss = new AbortController();
  #state: "held" | "released" | "lost" = "held";

  constructor(parts: HoldParts) {
    const { acquired, clock, key } = parts;
    this.#parts = parts;
    this.key = key;
    this.token = acquired.token;
    this.ttlMs = acquired.lease.ttlMs;
    this.#kept = new KeptLease(acquired.lease, acquired.renewedAt, clock, {
      onLost: (reason) => this.#lose(reason),
      onEnded: () => this.#lose(this.#error("LOCK_LOST", "the lock was deleted or overwritten by another")),
    });
  }

  get signal(): AbortSignal {
    return this.#loss.signal;
  }

  get held(): boolean {
    return this.#state === "held" && this.#kept.held;
  }

  async unlock(options?: CallOptions): Promise<void> {
    const { calls } = this.#parts;
    if (this.#state === "released") throw this.#error("NOT_LOCKED", "this hold was given back before");
    if (this.#state === "lost") throw this.#error("LOCK_LOST", "the lock was lost before it was given back");
    const call = calls.begin<void>({ operation: "unlock", key: this.key, write: true }, options);
    this.#finish("released");
    call.sent = true;
    call.attempts++;
    this.#parts.acquired.lease.end({ deadline: call.deadline }).then(
      () => call.resolve(),
      (error: unknown) => call.reject(this.#explain(error)),
    );
    await (callsAreTraced() ? traceOf(call, this.#parts.driver) : call.promise);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#state === "held") await this.unlock();
    } catch {
      // Disposal does not throw: a lock that could not be given back runs out on the server.
    }
  }

  /** Gives the lock back without anybody waiting: nobody wanted it any more. */
  async abandon(): Promise<void> {
    this.#finish("released");
    await this.#release();
  }

  /** The store closes: whoever works under the lock is told, then it is given back. */
  async close(): Promise<void> {
    if (this.#state !== "held") return;
    this.#finish("lost");
    this.#loss.abort(this.#error("LOCK_LOST", "the store was closed, and its locks with it"));
    await this.#release();
  }

  #lose(reason: StoreError): void {
    if (this.#state !== "held") return;
    this.#finish("lost");
    this.#loss.abort(this.#explain(reason));
    void this.#release();
  }

  #finish(state: "released" | "lost"): void {
    this.#state = state;
    this.#kept.stop();
    this.#parts.onEnd();
  }

  async #release(): Promise<void> {
    try {
      await this.#parts.acquired.lease.end({ deadline: this.#parts.clock.now() + abandonTimeoutMs });
    } catch {
      // It runs out on the server.
    }
  }

  #explain(error: unknown): StoreError {
    const { backend, endpoint } = this.#parts.driver;
    return asStoreError(error).with({ backend, endpoint, key: this.key });
  }

  #error(code: StoreErrorCode, reason: string): StoreError {
    return this.#explain(new StoreError(code, reason));
  }
}
