import type { Capabilities } from "./capabilities.js";
import type { StoreError } from "./errors.js";
import type { KVPair } from "./pair.js";
import type { Consistency } from "./store.js";

/** When a request has to be done, and how to give it up before. */
export interface Request {
  /** By the clock of the store (`Clock.now`), in milliseconds. The driver rejects with `TIMEOUT` or `UNREACHABLE` by then. */
  readonly deadline: number;
  /** Aborted when nobody waits for the answer any more. Batches have none: their deadline bounds them. */
  readonly signal?: AbortSignal | undefined;
}

export interface ReadOperation {
  readonly type: "get" | "exists";
  readonly key: string;
}

/**
 * What a conditional write expects to find: `absent`, or a revision, with the bytes that were read where the caller
 * gave a whole pair (for backends whose revisions can come again).
 */
export type Expectation = "absent" | { readonly revision: bigint; readonly value?: Uint8Array | undefined };

export interface PutOperation {
  readonly type: "put";
  readonly key: string;
  readonly value: Uint8Array;
  readonly expected?: Expectation | undefined;
}

export interface DeleteOperation {
  readonly type: "delete";
  readonly key: string;
  readonly expected?: Expectation | undefined;
}

export type WriteOperation = PutOperation | DeleteOperation;

/** To a `get` its pair or `undefined`, to an `exists` whether, or why this one operation failed. */
export type ReadAnswer = KVPair | boolean | undefined | StoreError;

/** To a `put` its pair, to a `delete` whether there was something, or why this one operation failed. */
export type WriteAnswer = KVPair | boolean | StoreError;

/** How many operations leave together. */
export interface BatchLimits {
  readonly maxOperations: number;
  /** The sum of `keyBytes + valueBytes + overhead` of a batch stays below; one operation alone may be larger. */
  readonly maxBytes: number;
  /** How many batches may be under way at once; the second leaves only when full. */
  readonly concurrency: number;
  /**
   * Where so many come whenever a batch is answered, so many leave through a second slot, and twice as many are two batches.
   * Default: a second batch has to be full.
   */
  readonly enough?: number;
}

/**
 * What keeps a key with a ttl, or a lock, alive on the server: an etcd lease, a Consul session, a ZooKeeper session,
 * a deadline in a Bolt file. One per key or hold.
 */
export interface Lease {
  /** What took effect, in milliseconds. */
  readonly ttlMs: number;
  /**
   * Proves that the writer lives. `lost`: the server has let go of it. `ended`: the key was deleted or overwritten by
   * another, so there is nothing left to renew. Rejects when the server could not be asked.
   */
  renew(request: Request): Promise<"renewed" | "lost" | "ended">;
  /** Gives it up: the key goes if it still is what the lease was for. Success when there is nothing left to do. */
  end(request: Request): Promise<void>;
  /** Calls back when the driver itself learns of the loss, such as a session's expiry; gives an unsubscribe. */
  onLost?(listener: (reason: StoreError | undefined) => void): () => void;
}

/** A put with a ttl that was applied. */
export interface LeasedPair {
  readonly pair: KVPair;
  readonly lease: Lease;
}

/** A key of a transaction and what it must still be. */
export interface Check {
  readonly key: string;
  readonly expected: Expectation;
}

/** A group of writes that happen together if every check holds. No key is written twice. */
export interface Transaction {
  readonly checks: readonly Check[];
  readonly writes: readonly (
    | { readonly type: "put"; readonly key: string; readonly value: Uint8Array; readonly ttlMs?: number | undefined }
    | { readonly type: "delete"; readonly key: string }
  )[];
}

/** What a commit gives: for each put, in order, its pair and its lease where it has a ttl. */
export type Committed = readonly { readonly pair: KVPair; readonly lease?: Lease | undefined }[];

/** One page of a list. */
export interface ListQuery {
  /** Canonical; `""` is the root. */
  readonly directory: string;
  /** At most this many entries in the page; `undefined` for all there are. */
  readonly limit: number | undefined;
  /** Segments below the directory; `undefined` for all. The driver may ignore it: the core cuts what is deeper. */
  readonly depth: number | undefined;
  /** The driver may leave out the values. */
  readonly keysOnly: boolean;
  readonly consistency: Consistency;
  /** What the page before gave as `next`. */
  readonly from?: unknown;
}

export interface ListPage {
  /** Sorted by the bytes of the keys, without lock keys. */
  readonly pairs: readonly KVPair[];
  /**
   * Where a driver that knows `depth` collapsed deeper keys: the directories at that depth, sorted, without slash.
   * Only asked for with `keysOnly`.
   */
  readonly directories?: readonly string[] | undefined;
  /** Where the next page starts; `undefined` after the last. */
  readonly next?: unknown;
}

/** What a watch watches. */
export interface WatchScope {
  readonly type: "key" | "tree";
  /** The key, or the directory (`""` is the root). */
  readonly path: string;
}

export type UpstreamChange =
  | { readonly type: "put"; readonly pair: KVPair }
  | { readonly type: "delete"; readonly key: string; readonly revision?: bigint | undefined };

/** Where a driver's watch puts what it learns. Lock keys are not reported. */
export interface WatchSink {
  /**
   * The complete state of the scope, at least as new as everything reported before: at the start, after each
   * `refresh()`, and whenever changes may have been missed. The core emits the difference.
   */
  snapshot(pairs: readonly KVPair[]): void;
  /** Changes in order, each newer than the snapshot before. What was seen already is dropped by revision. */
  changes(changes: readonly UpstreamChange[]): void;
  /** The watch cannot go on, now or later: a permanent error, such as a denied permission. */
  fail(error: StoreError): void;
}

/** A running watch of a driver. It survives outages by itself; it never throws. */
export interface Upstream {
  /** Asks for another `snapshot`, of a moment after this call. */
  refresh(): void;
  close(): void;
}

/** Somebody who wants a lock. */
export interface Contender {
  readonly key: string;
  readonly value: Uint8Array;
  readonly ttlMs: number;
  /** Unique; goes into the contender's name on the server, so that a create whose reply was lost can be found again. */
  readonly id: string;
  /** Whether to wait; otherwise the driver answers `undefined` when the lock is not free now. */
  readonly wait: boolean;
}

/** A lock that was acquired. `lease.end` gives it back: the value at the key and the contender's own key go. */
export interface Acquired {
  readonly token: bigint;
  readonly lease: Lease;
  /** When, by the store's clock, the last renewal that the server acknowledged was sent. */
  readonly renewedAt: number;
}

/** What a driver tells its store without being asked. */
export interface DriverHost {
  /** The connection is gone; the store stops sending and asks `ping` until it answers. */
  suspended(reason: StoreError): void;
  /** The driver can never go on, such as after a failed sync of a file: the store closes, and says why. */
  failed(reason: StoreError): void;
}

/**
 * What a backend implements: canonical keys and bytes in, pairs out. Checks, deadlines, abort, batching, order, retries,
 * watch sharing and lock deadlines are the core's. All errors are `StoreError`s; `outcome` is set on those of writes.
 * `UNREACHABLE` with outcome `not-applied` (on reads: any `UNREACHABLE`) is sent again by the core until the deadline,
 * so a driver with several endpoints moves to the next one and rejects.
 */
export interface Driver {
  readonly backend: string;
  /** The endpoints or the file for messages, without credentials. */
  readonly endpoint: string;
  readonly capabilities: Capabilities;
  readonly batching: { readonly reads: BatchLimits; readonly writes: BatchLimits };

  /** Called once, before anything else. */
  start(host: DriverHost): void;
  /** Why this backend cannot store such a key, beyond the common rules; `undefined` when it can. */
  refuseKey?(key: string): string | undefined;
  /**
   * What a `get` answers where the driver knows it without any work: for a key, in its canonical form, that was read
   * before. `key` is whatever the caller gave; undefined for all that is not known.
   */
  recall?(key: string): KVPair | undefined;
  /** Answers a read at once where no round trip is needed; `undefined` when this one needs `read` after all. */
  readNow?(operation: ReadOperation): { readonly answer: ReadAnswer } | undefined;
  /** One round trip. Answers in the order of the operations; a rejection is for all of them. */
  read(
    operations: readonly ReadOperation[],
    consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]>;
  /** One round trip; no key is written twice. A rejection is for all of them and says the outcome. */
  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]>;
  /** A put with a ttl, already rounded and raised to the limits of the capabilities. */
  putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair>;
  list(query: ListQuery, request: Request): Promise<ListPage>;
  deleteTree(directory: string, request: Request): Promise<number>;
  /** Rejects with `KEY_EXISTS` or `KEY_MODIFIED`, naming the key, when a check fails. */
  commit(transaction: Transaction, request: Request): Promise<Committed>;
  watch(scope: WatchScope, sink: WatchSink): Upstream;
  /**
   * Takes a lock. When it rejects, or its signal aborts, it leaves nothing of the contender on the server, as far as
   * the server can be reached; the core tries again after `UNREACHABLE` and `TIMEOUT`.
   */
  acquire(contender: Contender, request: Request): Promise<Acquired | undefined>;
  ping(request: Request): Promise<void>;
  /** Frees every resource. The core has ended watches, locks and leases before. */
  close(): Promise<void>;
}
