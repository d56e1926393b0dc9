import type {
  Acquired,
  Committed,
  Contender,
  Driver,
  DriverHost,
  LeasedPair,
  ListPage,
  ListQuery,
  PutOperation,
  ReadAnswer,
  ReadOperation,
  Request,
  Transaction,
  Upstream,
  WatchScope,
  WatchSink,
  WriteAnswer,
  WriteOperation,
} from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import type { Consistency } from "../core/store.js";
import type { BoltFile } from "./bolt-file.js";
import { BoltLease } from "./bolt-lease.js";
import type { BucketSession } from "./bucket-session.js";
import { BucketWriter } from "./bucket-writer.js";
import { boltCapabilities } from "./capabilities.js";
import type { Tx } from "./engine/tx.js";
import { storeError } from "./errors.js";
import type { LeaseRecord } from "./layout.js";
import { acquireLock } from "./lock.js";

/** Kvasir's store on one bucket of a bbolt file. */
export class BoltDriver implements Driver {
  readonly backend = "bolt";
  readonly endpoint: string;
  readonly capabilities;
  /** One group commit gathers while the one before syncs. */
  readonly batching = {
    reads: { maxOperations: 1_024, maxBytes: Number.POSITIVE_INFINITY, concurrency: 1 },
    writes: { maxOperations: 4_096, maxBytes: 16 * 1024 * 1024, concurrency: 1 },
  };
  readonly #file: BoltFile;
  readonly #session: BucketSession;
  #host: DriverHost | undefined;

  constructor(file: BoltFile, session: BucketSession) {
    this.#file = file;
    this.#session = session;
    this.endpoint = file.name;
    this.capabilities = boltCapabilities(file.shared);
  }

  start(host: DriverHost): void {
    this.#host = host;
  }

  recall(key: string): KVPair | undefined {
    return this.#session.reader.recall(key);
  }

  readNow(operation: ReadOperation): { readonly answer: ReadAnswer } | undefined {
    if (this.#file.shared) return undefined;
    try {
      const { type, key } = operation;
      const { reader } = this.#session;
      if (type === "exists") return { answer: this.#file.db.view((tx) => reader.exists(tx, key)) };
      return { answer: this.#file.db.view((tx) => reader.getNewest(tx, key)) };
    } catch (error) {
      return { answer: storeError(error, this.endpoint, false).with({ key: operation.key }) };
    }
  }

  read(
    operations: readonly ReadOperation[],
    _consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]> {
    return this.#reading((tx) => operations.map((operation) => this.#answer(tx, operation)), request);
  }

  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    return this.#writing((writer) => operations.map((operation) => writer.apply(operation)), request);
  }

  putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    return this.#writing((writer) => {
      const failure = writer.check(operation);
      if (failure !== undefined) throw failure;
      return this.#putLeased(writer, operation.key, operation.value, ttlMs);
    }, request);
  }

  list(query: ListQuery, request: Request): Promise<ListPage> {
    const { directory, limit, keysOnly } = query;
    // A page's place is its last key: no transaction, and no lock, is held between pages.
    const after = query.from as string | undefined;
    return this.#reading((tx) => this.#session.reader.list(tx, { directory, limit, keysOnly, after }), request);
  }

  deleteTree(directory: string, request: Request): Promise<number> {
    return this.#writing((writer) => writer.deleteTree(directory), request);
  }

  commit({ checks, writes }: Transaction, request: Request): Promise<Committed> {
    return this.#writing((writer) => {
      for (const check of checks) {
        const failure = writer.check(check);
        if (failure !== undefined) throw failure;
      }
      const committed: { pair: LeasedPair["pair"]; lease?: LeasedPair["lease"] }[] = [];
      for (const write of writes) {
        if (write.type === "delete") writer.delete(write.key);
        else if (write.ttlMs === undefined) committed.push({ pair: writer.put(write.key, write.value) });
        else committed.push(this.#putLeased(writer, write.key, write.value, write.ttlMs));
      }
      return committed;
    }, request);
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    const session = this.#session;
    session.watch(scope, sink);
    const refresh = async (): Promise<void> => {
      try {
        await this.#reading((tx) => {
          if (session.feed.has(sink)) sink.snapshot(session.snapshot(tx, scope));
        }, this.#soon());
      } catch (error) {
        session.feed.remove(sink);
        sink.fail(storeError(error, this.endpoint, false));
      }
    };
    void refresh();
    return { refresh: () => void refresh(), close: () => session.feed.remove(sink) };
  }

  async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    try {
      return await acquireLock(this.#session, contender, request);
    } catch (error) {
      if (request.signal?.aborted === true && error === request.signal.reason) throw error;
      throw storeError(error, this.endpoint, true);
    }
  }

  ping(request: Request): Promise<void> {
    return this.#reading(() => {}, request);
  }

  close(): Promise<void> {
    return this.#file.leave();
  }

  #answer(tx: Tx, { type, key }: ReadOperation): ReadAnswer {
    const { reader } = this.#session;
    return type === "get" ? reader.get(tx, key) : reader.exists(tx, key);
  }

  #putLeased(writer: BucketWriter, key: string, value: Uint8Array, ttlMs: number): LeasedPair {
    const expires = this.#file.clocks.clock.wallTime() + ttlMs;
    const pair = writer.put(key, value, (index): LeaseRecord => ({ index, ttlMs, expires }));
    return { pair, lease: new BoltLease(this.#session, key, pair.revision, ttlMs) };
  }

  /** Watches wait for the file as long as it takes; this bounds one try. */
  #soon(): Request {
    return { deadline: this.#file.clocks.clock.now() + 60_000 };
  }

  async #reading<T>(fn: (tx: Tx) => T, request: Request): Promise<T> {
    try {
      return await this.#file.read(fn, request);
    } catch (error) {
      throw storeError(error, this.endpoint, false);
    }
  }

  async #writing<T>(fn: (writer: BucketWriter) => T, request: Request): Promise<T> {
    const { bucket, reader, leases } = this.#session;
    try {
      const { result, changes } = await this.#file.write((tx) => {
        const writer = new BucketWriter(tx, bucket, reader, leases);
        return { result: fn(writer), changes: writer.changes };
      }, request);
      this.#session.committed(changes);
      return result;
    } catch (error) {
      const explained = storeError(error, this.endpoint, true);
      // After such a commit the engine closes the file: what is on the disk shows only when it is opened again.
      if (explained.outcome === "unknown") this.#host?.failed(explained);
      throw explained;
    }
  }
}
