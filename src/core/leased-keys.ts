import { Backoff } from "../util/backoff.js";
import type { Clock, Timer } from "../util/clock.js";
import type { Connectivity } from "./connectivity.js";
import type { Lease, LeasedPair, PutOperation, Request } from "./driver.js";
import { isStoreError, StoreError } from "./errors.js";
import { KeptLease } from "./kept-lease.js";
import { isBelow } from "./keys.js";

/** What a key with a ttl needs of its store. */
export interface LeasedKeysHost {
  readonly clock: Clock;
  readonly connectivity: Connectivity;
  /** Whether the server lets keys go on time by itself; otherwise a timer here does. */
  readonly onTime: boolean;
  /**
   * Puts a key again, in order with the store's other writes. `sentAt`: when it was sent, by the store's clock, which is
   * long after it was asked for when the server could not be reached meanwhile. `onLate` takes a lease that comes when the
   * put has failed for its caller; the next write to the key waits for it.
   */
  putLeased(
    operation: PutOperation,
    ttlMs: number,
    onLate: (lease: Lease) => Promise<void>,
  ): Promise<LeasedPair & { readonly sentAt: number }>;
}

interface Entry {
  readonly lease: Lease;
  readonly kept: KeptLease | undefined;
  readonly expiry: Timer | undefined;
}

/** How long an attempt to give a lease back may take, in milliseconds. */
const endTimeoutMs = 2_000;

/**
 * The keys that this store has put with a ttl. Those with `keepAlive` are renewed, and put again when the server
 * dropped them; the others are deleted on time where the server itself would be late.
 */
export class LeasedKeys {
  readonly #host: LeasedKeysHost;
  readonly #entries = new Map<string, Entry>();
  /** Lost leases of keys that are to be put again. */
  readonly #restoring = new Map<string, Lease>();
  #closed = false;

  constructor(host: LeasedKeysHost) {
    this.#host = host;
  }

  /** A put with a ttl was applied. `sentAt`: when it was sent, by the store's clock. */
  add(operation: PutOperation, { pair, lease }: LeasedPair, options: { keepAlive: boolean; sentAt: number }): void {
    const { key } = operation;
    this.forget(key);
    if (this.#closed) {
      if (options.keepAlive) void this.#end(lease);
    } else if (options.keepAlive) {
      this.#entries.set(key, { lease, kept: this.#keep(operation, lease, options.sentAt), expiry: undefined });
    } else if (!this.#host.onTime) {
      const expiry = this.#host.clock.after(pair.ttlMs ?? lease.ttlMs, () => this.#expire(key, lease), {
        keepAlive: false,
      });
      this.#entries.set(key, { lease, kept: undefined, expiry });
    }
  }

  /** A put that nobody waits for any more was applied: the store would not renew it, so a keepAlive key goes. */
  async abandon(lease: Lease, keepAlive: boolean): Promise<void> {
    if (keepAlive) await this.#end(lease);
  }

  /** The key was deleted or overwritten by this store: what kept it is not needed any more. */
  forget(key: string): void {
    this.#restoring.delete(key);
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#drop(key, entry);
    void this.#end(entry.lease);
  }

  forgetTree(directory: string): void {
    for (const key of [...this.#entries.keys(), ...this.#restoring.keys()]) {
      if (isBelow(key, directory)) this.forget(key);
    }
  }

  /** Deletes the keepAlive keys that are named, or all; the leases of other keys are left to run out. */
  async endKeepAlive(keys: Iterable<string> = [...this.#entries.keys()]): Promise<void> {
    const ends: Promise<void>[] = [];
    for (const key of keys) {
      this.#restoring.delete(key);
      const entry = this.#entries.get(key);
      if (entry?.kept === undefined) continue;
      this.#drop(key, entry);
      ends.push(this.#end(entry.lease));
    }
    await Promise.all(ends);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.endKeepAlive();
    for (const [key, entry] of this.#entries) this.#drop(key, entry);
  }

  #drop(key: string, entry: Entry): void {
    entry.kept?.stop();
    entry.expiry?.cancel();
    this.#entries.delete(key);
  }

  #keep(operation: PutOperation, lease: Lease, sentAt: number): KeptLease {
    const { key } = operation;
    return new KeptLease(lease, sentAt, this.#host.clock, {
      onLost: (reason) => {
        if (this.#entries.get(key)?.lease !== lease) return;
        this.#entries.delete(key);
        const lost = new StoreError("BACKEND", `a keepAlive key was lost: ${reason.reason}`, { key, cause: reason });
        this.#host.connectivity.reportKeys({ reason: lost, lostKeys: [key] });
        void this.#restore(operation, lease);
      },
      onEnded: () => {
        if (this.#entries.get(key)?.lease === lease) this.#entries.delete(key);
      },
    });
  }

  /** Puts a lost key again, if nobody else has put it since. Tries until it succeeds, or there is nothing to do. */
  async #restore(operation: PutOperation, lost: Lease): Promise<void> {
    const { key } = operation;
    const backoff = new Backoff({ initialMs: 100, maximumMs: 5_000 });
    this.#restoring.set(key, lost);
    const unneeded = (): boolean => this.#closed || this.#restoring.get(key) !== lost;
    const { clock } = this.#host;
    // What stands at the key until then may be our own, from a put whose answer was lost; it goes with its ttl.
    let perhapsOursUntil = Number.NEGATIVE_INFINITY;
    await this.#end(lost);
    while (!unneeded()) {
      try {
        const absent = { ...operation, expected: "absent" } as const;
        const restored = await this.#host.putLeased(absent, lost.ttlMs, (lease) => this.#end(lease));
        if (unneeded()) return this.#end(restored.lease);
        this.add(operation, restored, { keepAlive: true, sentAt: restored.sentAt });
        this.#host.connectivity.reportKeys({ restoredKeys: [key] });
        return;
      } catch (error) {
        if (isStoreError(error, "CLOSED")) break;
        if (isStoreError(error, "KEY_EXISTS") && clock.now() >= perhapsOursUntil) break;
        if (isStoreError(error) && error.outcome === "unknown") perhapsOursUntil = clock.now() + 2 * lost.ttlMs;
      }
      await new Promise<void>((resolve) => clock.after(backoff.next(), resolve, { keepAlive: false }));
    }
    if (this.#restoring.get(key) === lost) this.#restoring.delete(key);
  }

  #expire(key: string, lease: Lease): void {
    if (this.#entries.get(key)?.lease !== lease) return;
    this.#entries.delete(key);
    void this.#end(lease);
  }

  /** Best effort: a lease that cannot be given back runs out on the server. */
  async #end(lease: Lease): Promise<void> {
    const request: Request = { deadline: this.#host.clock.now() + endTimeoutMs };
    try {
      await lease.end(request);
    } catch {
      // It runs out by itself.
    }
  }
}
