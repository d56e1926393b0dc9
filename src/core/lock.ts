import { randomUUID } from "node:crypto";
import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { holdProcess } from "../util/process-hold.js";
import { settledWithin } from "../util/settled-within.js";
import { sleep } from "../util/sleep.js";
import { type Call, type Calls, traceOf } from "./calls.js";
import type { Connectivity } from "./connectivity.js";
import { callsAreTraced } from "./diagnostics.js";
import type { Acquired, Contender, Driver } from "./driver.js";
import { asStoreError, isStoreError, StoreError, type StoreErrorCode } from "./errors.js";
import { ManagedHold } from "./lock-hold.js";
import type { CallOptions, Lock, LockHold } from "./store.js";

/** What a lock needs of its store. */
export interface LockHost {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly calls: Calls;
  readonly connectivity: Connectivity;
  /** All holds of the store, for its `close()`. */
  readonly holds: Set<ManagedHold>;
  /** All contenders that are not yet through or gone from the server, for its `close()`. */
  readonly contenders: Set<Promise<void>>;
}

/** How long a contender that gave up may take to leave the server, in milliseconds, before its caller is told anyway. */
const cleanUpMs = 1_000;

/** A lock on any backend: the driver contends, this keeps the rules. */
export class ManagedLock implements Lock {
  readonly key: string;
  readonly #host: LockHost;
  readonly #value: Uint8Array;
  readonly #ttlMs: number;
  #hold: ManagedHold | undefined;
  #acquiring = false;

  constructor(host: LockHost, key: string, value: Uint8Array, ttlMs: number) {
    this.#host = host;
    this.key = key;
    this.#value = value;
    this.#ttlMs = ttlMs;
  }

  async lock(options?: CallOptions): Promise<LockHold> {
    const hold = await this.#take("lock", true, options);
    if (hold === undefined) throw this.#error("BACKEND", "the wait for the lock ended without it");
    return hold;
  }

  tryLock(options?: CallOptions): Promise<LockHold | undefined> {
    return this.#take("tryLock", false, options);
  }

  async unlock(options?: CallOptions): Promise<void> {
    const hold = this.#hold;
    if (hold === undefined) throw this.#error("NOT_LOCKED", "this lock is not held");
    this.#hold = undefined;
    await hold.unlock(options);
  }

  async #take(operation: string, wait: boolean, options: CallOptions | undefined): Promise<ManagedHold | undefined> {
    const { calls } = this.#host;
    const subject = { operation, key: this.key, write: true };
    calls.check(subject, options);
    if (this.#acquiring) throw this.#error("LOCK_HELD", "this lock object is waiting for the lock already");
    if (this.#hold?.held === true) throw this.#error("LOCK_HELD", "this lock object holds the lock already");
    const call = calls.begin<ManagedHold | undefined>(subject, options, wait ? Number.POSITIVE_INFINITY : undefined);
    this.#acquiring = true;
    const letProcessGo = holdProcess();
    const abort = new AbortController();
    const left = this.#contend(call, wait, abort.signal);
    this.#host.contenders.add(left);
    void left.finally(() => this.#host.contenders.delete(left));
    try {
      this.#hold = await (callsAreTraced() ? traceOf(call, this.#host.driver) : call.promise);
      return this.#hold;
    } catch (error) {
      abort.abort(error);
      await settledWithin(left, cleanUpMs, this.#host.clock);
      throw error;
    } finally {
      this.#acquiring = false;
      letProcessGo();
    }
  }

  /** Contends until the call settles, through outages; resolves when nothing of it is left to do. Never rejects. */
  async #contend(call: Call<ManagedHold | undefined>, wait: boolean, signal: AbortSignal): Promise<void> {
    const { driver, connectivity, clock } = this.#host;
    const backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
    while (!call.settled) {
      await Promise.race([connectivity.whenConnected(), call.promise.catch(() => {})]);
      if (call.settled) return;
      const contender: Contender = {
        key: this.key,
        value: this.#value,
        ttlMs: this.#ttlMs,
        id: randomUUID().replaceAll("-", ""),
        wait,
      };
      try {
        call.attempts++;
        const acquired = await driver.acquire(contender, { deadline: call.deadline, signal });
        if (await this.#settle(call, acquired, wait)) return;
        await sleep(backoff.next(), { clock, signal }).catch(() => {});
      } catch (error) {
        if (!this.#isPassing(error)) return call.reject(this.#explain(error));
        await sleep(backoff.next(), { clock, signal }).catch(() => {});
      }
    }
  }

  /** Answers the call; `false` where the lock came too late to be held and the wait goes on. */
  async #settle(call: Call<ManagedHold | undefined>, acquired: Acquired | undefined, wait: boolean): Promise<boolean> {
    if (acquired === undefined) {
      call.resolve(undefined);
      return true;
    }
    const { driver, calls, clock, holds } = this.#host;
    const hold: ManagedHold = new ManagedHold({
      key: this.key,
      acquired,
      driver,
      calls,
      clock,
      onEnd: () => holds.delete(hold),
    });
    if (call.settled || !hold.held) {
      await hold.abandon();
      if (!wait) call.reject(this.#error("LOCK_LOST", "the lock was lost in the moment it was taken"));
      return call.settled;
    }
    holds.add(hold);
    call.resolve(hold);
    return true;
  }

  /** Whether the outage may pass, so that waiting goes on. */
  #isPassing(error: unknown): boolean {
    if (isStoreError(error, "UNREACHABLE")) this.#host.connectivity.suspend(error);
    return isStoreError(error, "UNREACHABLE") || isStoreError(error, "TIMEOUT");
  }

  #explain(error: unknown): StoreError {
    const { backend, endpoint } = this.#host.driver;
    return asStoreError(error).with({ backend, endpoint, key: this.key, outcome: "not-applied" });
  }

  #error(code: StoreErrorCode, reason: string): StoreError {
    return this.#explain(new StoreError(code, reason));
  }
}
