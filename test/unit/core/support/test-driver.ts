import { boltCapabilities } from "../../../../src/bolt/capabilities.js";
import type {
  Acquired,
  Committed,
  Contender,
  Driver,
  DriverHost,
  Lease,
  LeasedPair,
  ListPage,
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
} from "../../../../src/core/driver.js";
import { StoreError } from "../../../../src/core/errors.js";
import { isBelow } from "../../../../src/core/keys.js";
import { KVPair } from "../../../../src/core/pair.js";
import type { Consistency } from "../../../../src/core/store.js";

/** What reached the driver: the call's name and the keys in it. */
export interface Sent {
  readonly call: string;
  readonly keys: readonly string[];
}

/** A watch as the driver sees it, for tests to report to. */
export interface DriverWatch {
  readonly scope: WatchScope;
  readonly sink: WatchSink;
  refreshes: number;
  closed: boolean;
}

/** `UNREACHABLE` as a driver says it. */
export function unreachable(outcome?: "not-applied" | "unknown"): StoreError {
  return new StoreError("UNREACHABLE", "nothing answers", { outcome });
}

/**
 * A driver on a map, with a seam before each call: `before` may wait or throw. For what no real backend does on demand:
 * half a batch, a reply that comes too late, a server that is gone for one call.
 */
export class TestDriver implements Driver {
  readonly backend = "test";
  readonly endpoint = "test:1";
  capabilities = boltCapabilities(false);
  batching: Driver["batching"] = {
    reads: { maxOperations: 4, maxBytes: 4_096, concurrency: 2 },
    writes: { maxOperations: 4, maxBytes: 4_096, concurrency: 1 },
  };
  readonly data = new Map<string, KVPair>();
  readonly sent: Sent[] = [];
  readonly requests: Request[] = [];
  readonly watches: DriverWatch[] = [];
  readonly leases: TestLease[] = [];
  host: DriverHost | undefined;
  /** Called before each call does anything. */
  before: (call: string, keys: readonly string[], request: Request) => void | Promise<void> = () => {};
  /** Called when a call was carried out, before it is answered. */
  after: (call: string, keys: readonly string[]) => void | Promise<void> = () => {};
  /** What `acquire` gives. */
  acquired: ((contender: Contender, request: Request) => Promise<Acquired | undefined>) | undefined;
  closed = false;
  #revision = 0n;

  /** The calls of this name, as the keys in each. */
  sentAs(call: string): (readonly string[])[] {
    return this.sent.filter((sent) => sent.call === call).map(({ keys }) => keys);
  }

  start(host: DriverHost): void {
    this.host = host;
  }

  read(operations: readonly ReadOperation[], _how: Consistency, request: Request): Promise<readonly ReadAnswer[]> {
    return this.#run("read", keysOf(operations), request, () =>
      operations.map(({ type, key }) => (type === "get" ? this.data.get(key) : this.data.has(key))),
    );
  }

  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    return this.#run("write", keysOf(operations), request, () => operations.map((operation) => this.#apply(operation)));
  }

  putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    return this.#run("putLeased", [operation.key], request, () => {
      if (operation.expected === "absent" && this.data.has(operation.key)) throw new StoreError("KEY_EXISTS", "there");
      const pair = this.put(operation.key, operation.value, ttlMs);
      return { pair, lease: this.lease(ttlMs) };
    });
  }

  list(query: { directory: string }, request: Request): Promise<ListPage> {
    return this.#run("list", [query.directory], request, () => ({
      pairs: [...this.data.values()].filter(({ key }) => isBelow(key, query.directory)),
    }));
  }

  deleteTree(directory: string, request: Request): Promise<number> {
    return this.#run("deleteTree", [directory], request, () => {
      const keys = [...this.data.keys()].filter((key) => isBelow(key, directory));
      for (const key of keys) this.data.delete(key);
      return keys.length;
    });
  }

  commit({ writes }: Transaction, request: Request): Promise<Committed> {
    return this.#run("commit", keysOf(writes), request, () =>
      writes.filter((write) => write.type === "put").map(({ key, value }) => ({ pair: this.put(key, value) })),
    );
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    const watch: DriverWatch = { scope, sink, refreshes: 0, closed: false };
    this.watches.push(watch);
    return {
      refresh: () => void watch.refreshes++,
      close: () => {
        watch.closed = true;
      },
    };
  }

  async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    await this.#enter("acquire", [contender.key], request);
    return this.acquired?.(contender, request);
  }

  ping(request: Request): Promise<void> {
    return this.#run("ping", [], request, () => {});
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  lease(ttlMs: number): TestLease {
    const lease = new TestLease(ttlMs);
    this.leases.push(lease);
    return lease;
  }

  put(key: string, value: Uint8Array, ttlMs?: number): KVPair {
    const pair = new KVPair(key, value, ++this.#revision, ttlMs);
    this.data.set(key, pair);
    return pair;
  }

  #apply(operation: WriteOperation): WriteAnswer {
    return operation.type === "put" ? this.put(operation.key, operation.value) : this.data.delete(operation.key);
  }

  async #enter(call: string, keys: readonly string[], request: Request): Promise<void> {
    this.sent.push({ call, keys });
    this.requests.push(request);
    await this.before(call, keys, request);
  }

  async #run<T>(call: string, keys: readonly string[], request: Request, fn: () => T): Promise<T> {
    await this.#enter(call, keys, request);
    const result = fn();
    await this.after(call, keys);
    return result;
  }
}

/** A lease whose answers are set by hand, and which counts what is asked of it. */
export class TestLease implements Lease {
  readonly ttlMs: number;
  renewals: Request[] = [];
  ended = 0;
  answer: () => Promise<"renewed" | "lost" | "ended"> = () => Promise.resolve("renewed");
  whenEnded: () => Promise<void> = () => Promise.resolve();
  readonly listeners = new Set<(reason: StoreError | undefined) => void>();

  constructor(ttlMs: number) {
    this.ttlMs = ttlMs;
  }

  renew(request: Request): Promise<"renewed" | "lost" | "ended"> {
    this.renewals.push(request);
    return this.answer();
  }

  end(): Promise<void> {
    this.ended++;
    return this.whenEnded();
  }

  onLost(listener: (reason: StoreError | undefined) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The server says that it is gone. */
  lose(reason?: StoreError): void {
    for (const listener of this.listeners) listener(reason);
  }
}

function keysOf(operations: readonly { readonly key: string }[]): string[] {
  return operations.map(({ key }) => key);
}
