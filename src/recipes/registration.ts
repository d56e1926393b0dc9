import { isStoreError, StoreError } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";
import type { CallOptions, Store } from "../core/store.js";
import { Backoff } from "../util/backoff.js";
import { systemClock } from "../util/clock.js";
import { createDeferred } from "../util/deferred.js";
import { sleep } from "../util/sleep.js";
import type { Instance, Registration, RegistrationChange, RegistrationState } from "./discovery.js";
import { decodeInstance, encodeInstance } from "./discovery-entry.js";
import { HealthMonitor, type HealthCheck } from "./health-check.js";
import { Listeners } from "./listeners.js";

/** What a registration is made of. */
export interface RegistrationParts {
  /**
   * A namespace of the registration's own: when it closes, its key is renewed no longer, whatever became of the key
   * and whether or not the server can be reached.
   */
  readonly store: Store;
  /** The key of the entry in that namespace, and its whole name. */
  readonly key: string;
  readonly fullKey: string;
  readonly instance: Instance;
  readonly ttlMs: number;
  readonly check: HealthCheck | undefined;
  /** Called once, when it is over in any way. */
  readonly onEnd: () => void;
}

/** How long `deregister` waits unless told otherwise, in milliseconds. */
const deregisterTimeoutMs = 5_000;

/**
 * Keeps one entry as it should be: there while the instance is healthy, gone when not. Everything that may have changed
 * that (the check, a change of the key, a lost lease, a write that failed) wakes one loop, which looks at the key and
 * does what is missing, until it has succeeded. Writes compare with what was read, so that they never overwrite the
 * entry of a later registration with the same id.
 */
export class EntryKeeper implements Registration {
  readonly instance: Instance;
  readonly key: string;
  readonly #store: Store;
  readonly #ownKey: string;
  readonly #value: string;
  readonly #onEnd: () => void;
  readonly #monitor: HealthMonitor | undefined;
  readonly #listeners = new Listeners<RegistrationChange>();
  readonly #over = new AbortController();
  readonly #ended = createDeferred<void>();
  readonly #backoff = new Backoff({ initialMs: 50, maximumMs: 1_000 });
  #ttlMs: number;
  #state: RegistrationState = "missing";
  #healthy = true;
  #unhealthyReason: Error | undefined;
  /** Somebody called `deregister`. */
  #leaving = false;
  /** Whether the entry has been put once: until then, what is found at the key may be replaced. */
  #entered = false;
  /** Whether the store renews the entry that is there. */
  #renewed = false;
  #awake = false;
  #running = false;
  #unsubscribe: () => void = () => undefined;

  constructor({ store, key, fullKey, instance, ttlMs, check, onEnd }: RegistrationParts) {
    this.#store = store;
    this.#ownKey = key;
    this.key = fullKey;
    this.instance = instance;
    this.#ttlMs = ttlMs;
    this.#value = encodeInstance(instance);
    this.#onEnd = onEnd;
    this.#monitor = check && new HealthMonitor(check, instance, (healthy, reason) => this.#judge(healthy, reason));
  }

  get ttlMs(): number {
    return this.#ttlMs;
  }

  get state(): RegistrationState {
    return this.#state;
  }

  onStateChange(listener: (change: RegistrationChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Checks, enters, and begins to look after the entry. */
  async start(options: CallOptions): Promise<void> {
    try {
      const first = await this.#monitor?.start();
      options.signal?.throwIfAborted();
      this.#healthy = first?.healthy ?? true;
      this.#unhealthyReason = first?.reason;
      if (this.#healthy) await this.#put(undefined, options);
      else this.#move("withdrawn", first?.reason);
    } catch (error) {
      this.#end("closed", undefined);
      throw error;
    }
    this.#unsubscribe = this.#store.onStateChange(({ lostKeys, restoredKeys }) => {
      if (restoredKeys.includes(this.#ownKey)) this.#renewed = true;
      if (lostKeys.includes(this.#ownKey)) this.#miss("the store let go of the entry");
    });
    void this.#follow();
  }

  async deregister({ signal, timeoutMs = deregisterTimeoutMs }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    this.#leaving = true;
    this.#monitor?.stop();
    if (this.#state !== "closed" && this.#state !== "replaced") this.#wake();
    const late = new StoreError("TIMEOUT", "the entry could not be taken away in time; it is tried on", {
      backend: this.#store.backend,
      key: this.key,
      outcome: "unknown",
    });
    await new Promise<void>((resolve, reject) => {
      const timer = systemClock.after(timeoutMs, () => settle(() => reject(late)));
      const onAbort = (): void => settle(() => reject(signal!.reason as Error));
      const settle = (done: () => void): void => {
        timer.cancel();
        signal?.removeEventListener("abort", onAbort);
        done();
      };
      signal?.addEventListener("abort", onAbort);
      void this.#ended.promise.then(() => settle(resolve));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It is tried on, and the ttl ends what cannot be taken away.
    await this.deregister().catch(() => undefined);
  }

  get #wanted(): boolean {
    return this.#healthy && !this.#leaving;
  }

  #judge(healthy: boolean, reason: Error | undefined): void {
    this.#healthy = healthy;
    this.#unhealthyReason = reason;
    this.#wake();
  }

  /** Sees what becomes of the key, whoever writes it. */
  async #follow(): Promise<void> {
    let reason: StoreError | undefined;
    try {
      for await (const pair of this.#store.watch(this.#ownKey, { signal: this.#over.signal })) this.#see(pair);
    } catch (error) {
      if (this.#over.signal.aborted) return;
      reason = error as StoreError;
    }
    this.#end("closed", reason);
  }

  #see(pair: KVPair | undefined): void {
    if (pair !== undefined && this.#entered && !this.#isOurs(pair)) return this.#end("replaced", undefined);
    const there = pair !== undefined && this.#isOurs(pair);
    if (there === this.#wanted) return;
    if (this.#wanted) this.#miss("the entry was deleted");
    else this.#wake();
  }

  #miss(reason: string): void {
    this.#renewed = false;
    const { backend } = this.#store;
    if (this.#wanted) this.#move("missing", new StoreError("BACKEND", reason, { backend, key: this.key }));
    this.#wake();
  }

  #wake(): void {
    this.#awake = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    const { signal } = this.#over;
    while (this.#awake && !signal.aborted) {
      this.#awake = false;
      try {
        await this.#settle();
        this.#backoff.reset();
      } catch (error) {
        if (signal.aborted) break;
        if (isStoreError(error, "CLOSED")) return this.#end("closed", error);
        this.#awake = true;
        if (this.#wanted) this.#move("missing", error as Error);
        await sleep(this.#backoff.next(), { signal }).catch(() => undefined);
      }
    }
    this.#running = false;
  }

  /** Looks at the key and does what is missing. Rejects when the store could not do it now, or another was faster. */
  async #settle(): Promise<void> {
    const current = await this.#store.get(this.#ownKey);
    const ours = current !== undefined && this.#isOurs(current);
    if (current !== undefined && !ours && this.#entered) return this.#end("replaced", undefined);
    if (this.#wanted) {
      if (!ours || !this.#renewed) await this.#put({ previous: current }, {});
      else this.#move("registered", undefined);
      return;
    }
    if (ours) await this.#store.atomicDelete(this.#ownKey, current);
    this.#renewed = false;
    if (this.#leaving) this.#end("closed", undefined);
    else this.#move("withdrawn", this.#unhealthyReason);
  }

  /** Puts the entry, over what was read or over whatever there is. */
  async #put(over: { readonly previous: KVPair | undefined } | undefined, options: CallOptions): Promise<void> {
    const how = { signal: options.signal, timeoutMs: options.timeoutMs, ttlMs: this.#ttlMs, keepAlive: true };
    // From here on it may be there: whatever else is found at the key came later.
    this.#renewed = false;
    const pair =
      over === undefined
        ? await this.#store.put(this.#ownKey, this.#value, how)
        : await this.#store.atomicPut(this.#ownKey, this.#value, over.previous, how);
    this.#entered = true;
    this.#renewed = true;
    this.#ttlMs = pair.ttlMs ?? this.#ttlMs;
    this.#move("registered", undefined);
  }

  #isOurs(pair: KVPair): boolean {
    try {
      return decodeInstance(pair).incarnation === this.instance.incarnation;
    } catch {
      return false;
    }
  }

  #end(state: "replaced" | "closed", reason: Error | undefined): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    this.#monitor?.stop();
    this.#unsubscribe();
    this.#move(state, reason);
    this.#onEnd();
    void this.#store.close().finally(() => this.#ended.resolve());
  }

  #move(state: RegistrationState, reason: Error | undefined): void {
    const previous = this.#state;
    if (state === previous) return;
    this.#state = state;
    this.#listeners.tell({ state, previous, reason });
  }
}
