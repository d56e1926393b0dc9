import type { Writable } from "node:stream";
import { Arena } from "./arena.js";
import { backup } from "./backup.js";
import { Bucket } from "./bucket.js";
import type { BucketHeader } from "./bucket-header.js";
import type { Cursor } from "./cursor.js";
import { EngineError } from "./errors.js";
import type { Meta } from "./meta.js";
import type { Pager } from "./pager.js";
import { encodeUtf8 } from "../../util/bytes.js";
import { assertOpen, type TxContext } from "./tx-context.js";

/** Headers of top-level buckets kept with a snapshot, so that reads need not search for them each time. */
const maxCachedHeaders = 1000;

/** The state after one committed transaction: what readers that started then see. */
export interface Snapshot {
  readonly meta: Meta;
  /** Top-level buckets by name, as far as they were looked up. */
  readonly headers: Map<string, BucketHeader>;
}

/** What a transaction needs of its database. */
export interface TxHost {
  readonly pager: Pager;
  /** Gives pages back on behalf of the write transaction. */
  freePages(id: number, count: number): void;
  /** A long-lived read transaction ended. */
  endRead(tx: Tx): void;
}

/** A transaction: a snapshot to read, and in `db.update()` the changes over it. */
export class Tx implements TxContext {
  /** The transaction's number: for readers that of the snapshot. */
  readonly id: number;
  readonly writable: boolean;
  /** @internal */
  readonly pager: Pager;
  /** @internal */
  readonly snapshot: Snapshot;
  /** @internal */
  readonly arena: Arena | undefined;
  /** @internal */
  readonly fillPercent: number | undefined;
  /** @internal */
  closed = false;
  /** @internal Counts puts, deletes and bucket changes, so that a caller can tell whether anything was done. */
  changes = 0;
  /** @internal How many committed pages are being edited. */
  readonly edited = { leaves: 0, branches: 0 };
  /** @internal */
  readonly root: Bucket;
  readonly #host: TxHost;
  #commitHandlers: (() => void)[] | undefined;

  /** @internal */
  constructor(host: TxHost, snapshot: Snapshot, writable: boolean, fillPercent?: number) {
    const { meta } = snapshot;
    this.#host = host;
    this.pager = host.pager;
    this.snapshot = snapshot;
    this.writable = writable;
    this.fillPercent = fillPercent;
    this.id = writable ? meta.txid + 1 : meta.txid;
    this.arena = writable ? new Arena() : undefined;
    const { root: rootId, sequenceLow, sequenceHigh } = meta;
    this.root = new Bucket(this, { rootId, sequenceLow, sequenceHigh, inline: undefined });
  }

  /** Bytes of the snapshot's pages: what a backup of it takes. */
  get size(): number {
    return this.snapshot.meta.highWater * this.pager.pageSize;
  }

  /** The top-level bucket with this name. */
  bucket(name: string | Uint8Array): Bucket | undefined {
    if (this.writable || typeof name !== "string") return this.root.bucket(name);
    assertOpen(this);
    const { headers } = this.snapshot;
    let header = headers.get(name);
    if (header === undefined) {
      header = this.root.findHeader(encodeUtf8(name));
      if (header === undefined) return undefined;
      if (headers.size < maxCachedHeaders) headers.set(name, header);
    }
    return new Bucket(this, header);
  }

  /** As `Bucket.createBucket`. */
  createBucket(name: string | Uint8Array): Bucket {
    return this.root.createBucket(name);
  }

  /** As `Bucket.createBucketIfNotExists`. */
  createBucketIfNotExists(name: string | Uint8Array): Bucket {
    return this.root.createBucketIfNotExists(name);
  }

  /** As `Bucket.deleteBucket`. */
  deleteBucket(name: string | Uint8Array): void {
    this.root.deleteBucket(name);
  }

  /** A cursor over the top-level buckets. */
  cursor(): Cursor {
    return this.root.cursor();
  }

  /**
   * Writes the snapshot to `stream` as a database file of its own, while others go on writing; resolves to the number
   * of bytes. The stream is not ended. For read transactions of `db.begin()`.
   */
  async writeTo(stream: Writable): Promise<number> {
    assertOpen(this);
    if (!this.writable) return backup(this.pager, this.snapshot.meta, stream, () => assertOpen(this));
    const { path } = this.pager.storage;
    throw new EngineError("INVALID_ARGUMENT", `${path}: back up from a read transaction, db.begin()`, { path });
  }

  /** Ends a transaction of `db.begin()`; one given to a function ends by itself. Twice does nothing. */
  rollback(): void {
    if (this.closed) return;
    if (this.writable) {
      const { path } = this.pager.storage;
      throw new EngineError("INVALID_ARGUMENT", `${path}: to roll back, throw inside the update function`, { path });
    }
    this.closed = true;
    this.#host.endRead(this);
  }

  /** Calls `fn` once this write transaction is durable. */
  onCommit(fn: () => void): void {
    assertOpen(this);
    this.#commitHandlers ??= [];
    this.#commitHandlers.push(fn);
  }

  /** @internal */
  freePages(id: number, count: number): void {
    this.#host.freePages(id, count);
  }

  /** @internal */
  runCommitHandlers(): void {
    for (const fn of this.#commitHandlers ?? []) fn();
  }
}

/** The transaction of `db.update()` and `db.batch()`. */
export type WriteTx = Tx;
