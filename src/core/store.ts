import type { Capabilities } from "./capabilities.js";
import type { StoreError } from "./errors.js";
import type { KVPair } from "./pair.js";

/** What every call takes. */
export interface CallOptions {
  /**
   * Gives the call up. Reads, waits and writes not yet sent reject with the signal's reason; a write that may have been
   * sent rejects with `ABORTED`, outcome `unknown`.
   */
  signal?: AbortSignal | undefined;
  /** How long the call may take, in milliseconds. Default: the store's, 5,000. Watches and lock waits have none unless given. */
  timeoutMs?: number | undefined;
}

/** `linearizable`: sees every write that was acknowledged before the read began. `stale`: any member may answer. */
export type Consistency = "linearizable" | "stale";

export interface ReadOptions extends CallOptions {
  /** Default `linearizable`. */
  consistency?: Consistency | undefined;
}

export interface PutOptions extends CallOptions {
  /** How long the key stays, in milliseconds, at least; without it the key is permanent. Limits: `capabilities.ttl`. */
  ttlMs?: number | undefined;
  /** Renews the ttl until the key is deleted or overwritten, or the store closed. Needs `ttlMs`. Default false. */
  keepAlive?: boolean | undefined;
}

export interface ListOptions extends ReadOptions {
  /** At most this many, the first in order. Default: all. */
  limit?: number | undefined;
  /** How many segments below the directory to go: 1 is its own level. Default: all. */
  depth?: number | undefined;
}

export interface ScanOptions extends ListOptions {
  /** How many pairs to fetch at a time. Default 1,000. */
  pageSize?: number | undefined;
}

export interface DeleteTreeOptions extends CallOptions {
  /** Must be true for the root directory `""`, so that an empty variable does not delete everything. */
  root?: boolean | undefined;
}

export interface WatchOptions {
  /** Ends the watch: the loop throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface LockOptions {
  /** What `get(key)` shows while the lock is held. Default: empty. */
  value?: string | Uint8Array | undefined;
  /** How long the lock stays with a holder that is no longer heard of, in milliseconds. Default 15,000. */
  ttlMs?: number | undefined;
}

/**
 * What a compare-and-set compares with: a pair that was read, a bare revision, or `null`/`undefined` (what `get` gives
 * for an absent key) for "must be absent".
 */
export type Previous = KVPair | { readonly revision: bigint } | null | undefined;

/** One key that changed, as a tree watch tells it. */
export type Change =
  | {
      readonly type: "put";
      readonly key: string;
      readonly pair: KVPair;
      /** What the watch showed for this key before, where it showed something. */
      readonly previous: KVPair | undefined;
    }
  | {
      readonly type: "delete";
      readonly key: string;
      readonly previous: KVPair | undefined;
    };

/** One item of a tree watch. */
export interface TreeChange {
  /** What changed since the item before; in the first item, a put for every key there is. */
  readonly changes: readonly Change[];
  /**
   * The whole tree at this item, sorted by key. Computed when first read; read it before asking for the next item,
   * afterwards it throws `INVALID_ARGUMENT`.
   */
  readonly pairs: readonly KVPair[];
}

/**
 * `connected`: calls go out. `suspended`: the server cannot be reached; calls wait for their timeout. `closed`: for good.
 */
export type StoreState = "connected" | "suspended" | "closed";

export interface StateChange {
  readonly state: StoreState;
  readonly previous: StoreState;
  /** Why, where there is a reason. */
  readonly reason?: StoreError | undefined;
  /** `keepAlive` keys that the server has dropped. */
  readonly lostKeys: readonly string[];
  /** `keepAlive` keys that were dropped and are there again. */
  readonly restoredKeys: readonly string[];
}

/** A lock that is held. It ends by `unlock()`, by loss, or with the store. */
export interface LockHold {
  readonly key: string;
  /** A fencing token: it grows with each acquisition of this key, so that a resource can refuse an earlier holder. */
  readonly token: bigint;
  /** What ttl took effect, in milliseconds. */
  readonly ttlMs: number;
  /** Fires when the lock is lost, before the server can give it to another; the reason is a `LOCK_LOST` error. */
  readonly signal: AbortSignal;
  /** Whether the lock is still ours by the clock, at this moment. Ask it after every pause. */
  readonly held: boolean;
  /** Gives back this acquisition and nothing else. Rejects with `LOCK_LOST` when it was lost, `NOT_LOCKED` when given back before. */
  unlock(options?: CallOptions): Promise<void>;
  /** Unlocks; never throws because the hold is lost or the store cannot be reached. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A lock on a key: one holder at a time among all clients of the server. */
export interface Lock {
  readonly key: string;
  /** Waits until the lock is ours. Rejects with `LOCK_HELD` when this object holds it already, `TIMEOUT` after `timeoutMs`. */
  lock(options?: CallOptions): Promise<LockHold>;
  /** The lock when it is free now, otherwise `undefined`. Rejects with `LOCK_HELD` when this object holds it already. */
  tryLock(options?: CallOptions): Promise<LockHold | undefined>;
  /** Gives back what `lock` took. Rejects with `NOT_LOCKED` when it holds nothing, `LOCK_LOST` when it was lost. */
  unlock(options?: CallOptions): Promise<void>;
}

/** A group of writes that happen together or not at all. Each method gives the builder back. */
export interface Atomic {
  /** The commit happens only if this key still is what `previous` says. */
  check(key: string, previous: Previous): Atomic;
  put(key: string, value: string | Uint8Array, options?: Pick<PutOptions, "ttlMs" | "keepAlive">): Atomic;
  delete(key: string): Atomic;
  /**
   * One pair for each put, in order. Rejects with `KEY_EXISTS` or `KEY_MODIFIED`, naming the key, when a check failed;
   * `INVALID_ARGUMENT` when a key is written twice or nothing is to be done.
   */
  commit(options?: CallOptions): Promise<KVPair[]>;
}

/** What `update` calls: the value to write, `null` to delete the key, `undefined` to leave it alone. */
export type Updater = (
  current: KVPair | undefined,
) => string | Uint8Array | null | undefined | Promise<string | Uint8Array | null | undefined>;

/**
 * A key/value store. The same calls mean the same on every backend; where one cannot, the call rejects with
 * `NOT_SUPPORTED` or the difference stands in `capabilities`. Every rejection but an abort's is a `StoreError`.
 */
export interface Store {
  /** The backend's name, such as `bolt` or `etcd`. */
  readonly backend: string;
  readonly capabilities: Capabilities;
  readonly state: StoreState;

  /** Writes the key. The pair that comes back carries the new revision. */
  put(key: string, value: string | Uint8Array, options?: PutOptions): Promise<KVPair>;
  /** Reads the key; `undefined` when it is absent. */
  get(key: string, options?: ReadOptions): Promise<KVPair | undefined>;
  exists(key: string, options?: ReadOptions): Promise<boolean>;
  /** Deletes the key; whether there was something to delete. */
  delete(key: string, options?: CallOptions): Promise<boolean>;

  /** All pairs below the directory, sorted by the bytes of their keys; never the directory itself. */
  list(directory: string, options?: ListOptions): Promise<KVPair[]>;
  /**
   * As `list`, without the values. With `depth`, directories that go deeper are named too, with a slash at their end.
   */
  keys(directory: string, options?: ListOptions): Promise<string[]>;
  /** As `list`, a page at a time. Each `for await` scans anew. The timeout is each page's. */
  scan(directory: string, options?: ScanOptions): AsyncIterable<KVPair>;
  /** Deletes all below the directory, not the key of that name; how many keys went. */
  deleteTree(directory: string, options?: DeleteTreeOptions): Promise<number>;

  /**
   * Writes the key if it still is what was read. Rejects with `KEY_EXISTS` when it should be absent and is not,
   * `KEY_MODIFIED` when it was changed or deleted since.
   */
  atomicPut(key: string, value: string | Uint8Array, previous: Previous, options?: PutOptions): Promise<KVPair>;
  /** Deletes the key if it still is what was read; otherwise rejects with `KEY_MODIFIED`. */
  atomicDelete(key: string, previous: KVPair | { readonly revision: bigint }, options?: CallOptions): Promise<void>;
  /**
   * Reads, asks `fn`, and compares and sets; again, with jitter, when another was faster, until the timeout. Never
   * again after a write whose outcome is unknown.
   */
  update(key: string, fn: Updater, options?: PutOptions): Promise<KVPair | undefined>;
  atomic(): Atomic;

  /** First the current state of the key, `undefined` when absent, then each new one. Survives reconnects. */
  watch(key: string, options?: WatchOptions): AsyncIterable<KVPair | undefined>;
  /** First the whole tree below the directory, then each change. Survives reconnects. */
  watchTree(directory: string, options?: WatchOptions): AsyncIterable<TreeChange>;

  newLock(key: string, options?: LockOptions): Lock;

  /** The same store under a prefix. Its `close()` ends only what it opened. */
  namespace(prefix: string): Store;
  /** One round trip to the server. */
  ping(options?: CallOptions): Promise<void>;
  /** Tells of each state change until the function it gives back is called. */
  onStateChange(listener: (change: StateChange) => void): () => void;
  /** Ends watches, locks and keepAlive keys; later calls reject with `CLOSED`. May be called again. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
