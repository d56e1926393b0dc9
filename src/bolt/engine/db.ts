import { Batcher } from "./batch.js";
import { type CheckProblem, checkDatabase } from "./check.js";
import { commit } from "./commit.js";
import { type CompactOptions, type CompactResult, type CompactTarget, copyInto } from "./compact.js";
import type { DatabaseFile } from "./database-file.js";
import type { DBStats } from "./db-stats.js";
import { EngineError, messageOf } from "./errors.js";
import type { Freelist } from "./freelist.js";
import { loadFreelist, readFreelist } from "./load-freelist.js";
import type { LockMode } from "./lock.js";
import type { Meta } from "./meta.js";
import type { ResolvedOptions } from "./options.js";
import { PageWriter } from "./page-writer.js";
import { Pager } from "./pager.js";
import { type Snapshot, Tx, type TxHost, type WriteTx } from "./tx.js";
import { WriteQueue } from "./write-queue.js";

/** Makes a new database for `compact()`. */
export type CreateTarget = (path: string, pageSize: number) => Promise<CompactTarget & { close(): Promise<void> }>;

/** An open database. Get one from `open()`. */
export class DB {
  readonly path: string;
  readonly pageSize: number;
  readonly readOnly: boolean;
  /** Why the database was opened differently than asked for, in words for people. */
  readonly notice: string | undefined;
  readonly #options: ResolvedOptions;
  readonly #file: DatabaseFile;
  readonly #createTarget: CreateTarget;
  readonly #writers = new WriteQueue();
  readonly #batcher = new Batcher((fn) => this.update(fn));
  readonly #readers = new Set<Tx>();
  #pager: Pager;
  #readHost: TxHost;
  #snapshot: Snapshot;
  #freelist: Freelist | undefined;
  #freelistPages = 0;
  #closed: EngineError | undefined;
  #commits = 0;
  #writeTransactions = 0;

  /** @internal */
  constructor(file: DatabaseFile, meta: Meta, options: ResolvedOptions, createTarget: CreateTarget) {
    this.#file = file;
    this.#createTarget = createTarget;
    this.#options = options;
    this.path = file.storage.path;
    this.pageSize = meta.pageSize;
    this.readOnly = file.readOnly;
    this.notice = file.notice;
    this.#pager = this.#createPager(meta);
    this.#readHost = this.#createReadHost();
    this.#snapshot = { meta, headers: new Map() };
  }

  /** Calls `fn` with a snapshot to read; synchronous, the transaction ends when it returns. */
  view<T>(fn: (tx: Tx) => T): T {
    if (this.#closed) this.#assertOpen();
    this.#file.assertLocked("shared");
    const tx = new Tx(this.#readHost, this.#snapshot, false);
    try {
      const result = fn(tx);
      if (isPromise(result)) throw this.#error("INVALID_ARGUMENT", "view() is synchronous; to await, use begin()");
      return result;
    } finally {
      tx.closed = true;
    }
  }

  /** Starts a long-lived read transaction. Pages that it can see are not used again until its `rollback()`. */
  begin(): Tx {
    this.#assertOpen();
    this.#file.assertLocked("shared");
    const tx = new Tx(this.#readHost, this.#snapshot, false);
    this.#readers.add(tx);
    return tx;
  }

  /**
   * Calls `fn` with a transaction to write; one at a time, others wait. Resolves when all its changes are durable, and
   * when `fn` throws nothing is changed. A failed commit rejects with an `EngineError` that carries `outcome`.
   */
  async update<T>(fn: (tx: WriteTx) => T | Promise<T>): Promise<T> {
    this.#assertWritable();
    await this.#writers.enter();
    try {
      return await this.#update(fn);
    } finally {
      this.#writers.leave();
    }
  }

  /**
   * As `update`, but concurrent calls share one transaction, and with it the syncs. `fn` is synchronous and may be called
   * more than once: when one call throws, it alone is taken out and the others run again.
   */
  async batch<T>(fn: (tx: WriteTx) => T): Promise<T> {
    this.#assertWritable();
    return this.#batcher.add(fn);
  }

  /** Walks the whole database and lists what is wrong with it: nothing, for a sound one. */
  async check(): Promise<CheckProblem[]> {
    const tx = this.begin();
    try {
      return await checkDatabase(this.#pager, tx.snapshot.meta, () => tx.closed);
    } finally {
      tx.rollback();
    }
  }

  /** Writes all keys to a new file at `path`, without free pages and densely packed: files never shrink by themselves. */
  async compact(path: string, options: CompactOptions = {}): Promise<CompactResult> {
    const tx = this.begin();
    try {
      const target = await this.#createTarget(path, this.pageSize);
      try {
        return await copyInto(tx, target, options);
      } finally {
        await target.close();
      }
    } finally {
      tx.rollback();
    }
  }

  stats(): DBStats {
    const { cache } = this.#pager;
    return {
      txid: this.#snapshot.meta.txid,
      pageSize: this.pageSize,
      pages: this.#snapshot.meta.highWater,
      freePages: this.#freelist?.freeCount ?? this.#storedFreePages(),
      pendingPages: this.#freelist?.pendingCount,
      openReaders: this.#readers.size,
      cachedPages: cache.pages,
      cachedBytes: cache.bytes,
      commits: this.#commits,
      writeTransactions: this.#writeTransactions,
    };
  }

  /** Makes durable what was written with `noSync`. */
  async sync(): Promise<void> {
    this.#assertOpen();
    await this.#file.storage.sync().catch((cause: unknown) => {
      throw this.#error("IO", `cannot sync: ${messageOf(cause)}`, cause);
    });
  }

  /** @internal Gives back what the file has beyond its last page: room that it grew by for pages to come. */
  trim(): void {
    this.#assertWritable();
    this.#pager.trim();
  }

  /** Waits for the running commit, ends all readers and closes the file. Twice does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#writers.enter();
    try {
      this.#shut(this.#error("CLOSED", "the database is closed"));
    } finally {
      this.#writers.leave();
    }
  }

  /**
   * With `lock: "manual"`: takes the file's lock, then looks whether another process wrote meanwhile or put another file
   * in its place; if so, `changed`, and everything remembered of the old state is dropped.
   */
  async acquire(
    mode: LockMode,
    options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<{ changed: boolean }> {
    this.#assertOpen();
    const timeoutMs = options.timeoutMs ?? this.#options.timeoutMs;
    const { meta, replaced } = await this.#file.acquire(mode, { timeoutMs, signal: options.signal });
    const changed = replaced || meta.txid !== this.#snapshot.meta.txid;
    if (changed) {
      this.#pager = this.#createPager(meta);
      this.#readHost = this.#createReadHost();
      this.#snapshot = { meta, headers: new Map() };
      this.#freelist = undefined;
    }
    return { changed };
  }

  /** With `lock: "manual"`: ends all readers and lets go of the file's lock. */
  release(): void {
    this.#endReaders();
    this.#file.release();
  }

  #createPager(meta: Meta): Pager {
    const { storage } = this.#file;
    return new Pager(storage, { ...meta, cacheBytes: this.#options.cacheBytes });
  }

  #createReadHost(): TxHost {
    return { pager: this.#pager, freePages: () => {}, endRead: (tx) => void this.#readers.delete(tx) };
  }

  async #update<T>(fn: (tx: WriteTx) => T | Promise<T>): Promise<T> {
    this.#assertOpen();
    this.#file.assertLocked("exclusive");
    const { meta } = this.#snapshot;
    const freelist = await this.#releasedFreelist(meta);
    const writer = new PageWriter(this.#pager, freelist, meta, this.#readers.size > 0);
    const host: TxHost = {
      pager: this.#pager,
      freePages: (id, count) => writer.freePages(id, count),
      endRead: () => {},
    };
    const tx = new Tx(host, this.#snapshot, true, this.#options.fillPercent);
    this.#writeTransactions++;
    const result = await this.#committed(tx, fn, writer, freelist);
    // What they throw is their own: the transaction is durable by now.
    tx.runCommitHandlers();
    return result;
  }

  /** Runs the transaction and makes it durable, or leaves everything as it was. */
  async #committed<T>(
    tx: WriteTx,
    fn: (tx: WriteTx) => T | Promise<T>,
    writer: PageWriter,
    freelist: Freelist,
  ): Promise<T> {
    try {
      const result = await fn(tx);
      this.#assertOpen();
      if (tx.root.changed) await this.#commit(tx, writer);
      freelist.commit();
      return result;
    } catch (thrown) {
      freelist.rollback(tx.id);
      if (thrown instanceof EngineError && thrown.outcome === "unknown") this.#shut(thrown);
      throw thrown;
    } finally {
      tx.closed = true;
    }
  }

  async #commit(tx: WriteTx, writer: PageWriter): Promise<void> {
    tx.closed = true;
    const { noFreelistSync, noSync } = this.#options;
    const { meta } = this.#snapshot;
    const result = await commit({
      pager: this.#pager,
      writer,
      root: tx.root,
      edited: tx.edited,
      meta,
      freelistPages: this.#freelistPages,
      noFreelistSync,
      noSync,
    });
    this.#snapshot = { meta: result.meta, headers: new Map() };
    this.#freelistPages = result.freelistPages;
    this.#commits++;
  }

  /** The freelist, with the pages that no reader can see any more. */
  async #releasedFreelist(meta: Meta): Promise<Freelist> {
    if (this.#freelist === undefined) {
      const { freelist, pageCount } = await loadFreelist(this.#pager, meta);
      this.#freelist = freelist;
      this.#freelistPages = pageCount;
    }
    const readers = [...this.#readers].map((tx) => tx.id).sort((left, right) => left - right);
    for (const id of this.#freelist.release(readers, meta.txid)) this.#pager.forget(id);
    return this.#freelist;
  }

  /** What the stored freelist lists, while no write has loaded it. */
  #storedFreePages(): number | undefined {
    const { freelist, highWater } = this.#snapshot.meta;
    if (freelist === undefined || this.#closed || !this.#file.isLocked("shared")) return undefined;
    return readFreelist(this.#pager, freelist, highWater).ids.length;
  }

  #endReaders(): void {
    for (const tx of this.#readers) tx.rollback();
  }

  /** Closes for good; calls from now on get `reason`. */
  #shut(reason: EngineError): void {
    this.#closed = new EngineError("CLOSED", reason.message, { path: this.path, cause: reason });
    this.#endReaders();
    this.#pager.cache.clear();
    this.#file.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw this.#closed;
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.readOnly) throw this.#error("READ_ONLY", this.notice ?? "the database is open read-only");
  }

  #error(code: EngineError["code"], reason: string, cause?: unknown): EngineError {
    return new EngineError(code, `${this.path}: ${reason}`, { path: this.path, cause });
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
