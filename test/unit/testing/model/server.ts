import type { Expectation, UpstreamChange } from "../../../../src/core/driver.js";
import { StoreError } from "../../../../src/core/errors.js";
import { compareKeys, isBelow } from "../../../../src/core/keys.js";
import { KVPair } from "../../../../src/core/pair.js";
import { copyBytes, equalBytes } from "../../../../src/util/bytes.js";
import type { Clock, Timer } from "../../../../src/util/clock.js";

/** What keeps a key: the key goes when it runs out. */
export interface ServerLease {
  readonly key: string;
  readonly ttlMs: number;
  timer: Timer | undefined;
  /** Whether it ran out, was given back, or its key was written by another. */
  over: "expired" | "ended" | undefined;
}

interface Entry {
  readonly pair: KVPair;
  readonly lease: ServerLease | undefined;
}

/** A key/value server in a map, as plain as can be, for as many clients as like. */
export class ModelServer {
  readonly clock: Clock;
  readonly entries = new Map<string, Entry>();
  /** Told of every change, and of `undefined` when a cut connection is healed. */
  readonly listeners = new Set<(change: UpstreamChange | undefined) => void>();
  /** Told when a key's lease is over, for those who wait for its lock. */
  readonly released = new Set<(key: string) => void>();
  readonly holders = new Map<string, ServerLease>();
  #revision = 0n;
  #cut = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get isCut(): boolean {
    return this.#cut;
  }

  cut(): void {
    this.#cut = true;
  }

  heal(): void {
    this.#cut = false;
    for (const listener of this.listeners) listener(undefined);
  }

  nextRevision(): bigint {
    return ++this.#revision;
  }

  below(directory: string): KVPair[] {
    const pairs = [...this.entries.values()].map(({ pair }) => pair).filter((pair) => isBelow(pair.key, directory));
    return pairs.sort((left, right) => compareKeys(left.key, right.key)).map((pair) => pair.copy());
  }

  /** Why the expectation does not hold; `undefined` when it does. */
  conflict(key: string, expected: Expectation | undefined): StoreError | undefined {
    const found = this.entries.get(key)?.pair;
    if (expected === undefined) return undefined;
    if (expected === "absent") {
      if (found === undefined) return undefined;
      return new StoreError("KEY_EXISTS", "the key is there", { key, outcome: "not-applied" });
    }
    const same =
      found?.revision === expected.revision &&
      (expected.value === undefined || equalBytes(found.value, expected.value));
    return same ? undefined : new StoreError("KEY_MODIFIED", "it was changed", { key, outcome: "not-applied" });
  }

  put(key: string, value: Uint8Array, lease?: ServerLease): KVPair {
    this.#leave(key, lease);
    const pair = new KVPair(key, copyBytes(value), this.nextRevision());
    this.entries.set(key, { pair, lease });
    this.#tell({ type: "put", pair: pair.copy() });
    return new KVPair(key, copyBytes(value), pair.revision, lease?.ttlMs);
  }

  delete(key: string): boolean {
    const there = this.entries.has(key);
    this.#leave(key, undefined);
    this.entries.delete(key);
    if (there) this.#tell({ type: "delete", key, revision: this.nextRevision() });
    return there;
  }

  grant(key: string, ttlMs: number): ServerLease {
    const lease: ServerLease = { key, ttlMs, timer: undefined, over: undefined };
    this.renew(lease);
    return lease;
  }

  renew(lease: ServerLease): void {
    lease.timer?.cancel();
    lease.timer = this.clock.after(lease.ttlMs, () => this.finish(lease, "expired"), { keepAlive: false });
  }

  /** The lease is over: its key goes, if it still is what the lease was for. */
  finish(lease: ServerLease, how: "expired" | "ended"): void {
    if (lease.over !== undefined) return;
    lease.over = how;
    lease.timer?.cancel();
    if (this.entries.get(lease.key)?.lease === lease) this.delete(lease.key);
    if (this.holders.get(lease.key) !== lease) return;
    this.holders.delete(lease.key);
    for (const listener of this.released) listener(lease.key);
  }

  /** The key is written anew, so what kept it until now is not needed any more, unless it is a lock. */
  #leave(key: string, lease: ServerLease | undefined): void {
    const before = this.entries.get(key)?.lease;
    if (before === undefined || before === lease || this.holders.get(key) === before) return;
    before.over = "ended";
    before.timer?.cancel();
  }

  #tell(change: UpstreamChange): void {
    if (this.#cut) return;
    for (const listener of this.listeners) listener(change);
  }
}
