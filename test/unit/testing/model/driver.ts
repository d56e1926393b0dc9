import type { Capabilities } from "../../../../src/core/capabilities.js";
import type {
  Acquired,
  Committed,
  Contender,
  Driver,
  DriverHost,
  Lease,
  LeasedPair,
  ListPage,
  ListQuery,
  PutOperation,
  ReadAnswer,
  ReadOperation,
  Request,
  Transaction,
  Upstream,
  UpstreamChange,
  WatchScope,
  WatchSink,
  WriteAnswer,
  WriteOperation,
} from "../../../../src/core/driver.js";
import { StoreError } from "../../../../src/core/errors.js";
import { isBelow } from "../../../../src/core/keys.js";
import type { KVPair } from "../../../../src/core/pair.js";
import { ModelLocks } from "./locks.js";
import type { ModelServer, ServerLease } from "./server.js";

export const modelCapabilities: Capabilities = {
  backend: "model",
  keys: { refuses: [], withChildren: "always" },
  values: { maxBytes: 1_000_000, content: "bytes" },
  ttl: {
    minimumMs: 10,
    maximumMs: 3_600_000,
    granularityMs: 1,
    outlivesWriter: true,
    lateByFactor: 1,
    renewalKeepsRevision: true,
  },
  watch: "every-change",
  compareAndSet: "revision",
  deleteTree: "atomic",
  list: { snapshot: true },
  scan: { snapshot: true, boundedMemory: false },
  atomic: { maxOperations: 100, acrossKeys: true },
  lock: { fair: true },
};

/** The least a driver can be: every call is carried out at once, one turn of the event loop after it came. */
export class ModelDriver implements Driver {
  readonly backend = "model";
  readonly endpoint = "memory";
  readonly capabilities = modelCapabilities;
  readonly batching: Driver["batching"] = {
    reads: { maxOperations: 64, maxBytes: 1e6, concurrency: 2 },
    writes: { maxOperations: 64, maxBytes: 1e6, concurrency: 1 },
  };
  protected readonly server: ModelServer;
  readonly #locks: ModelLocks;
  #host: DriverHost | undefined;

  constructor(server: ModelServer) {
    this.server = server;
    this.#locks = new ModelLocks(server);
  }

  start(host: DriverHost): void {
    this.#host = host;
  }

  async read(operations: readonly ReadOperation[]): Promise<readonly ReadAnswer[]> {
    await this.#roundTrip();
    return operations.map(({ type, key }) => {
      const pair = this.server.entries.get(key)?.pair;
      return type === "exists" ? pair !== undefined : pair?.copy();
    });
  }

  async write(operations: readonly WriteOperation[]): Promise<readonly WriteAnswer[]> {
    await this.#roundTrip();
    return operations.map((operation) => {
      const conflict = this.server.conflict(operation.key, operation.expected);
      if (conflict !== undefined) return conflict;
      return operation.type === "put"
        ? this.server.put(operation.key, operation.value)
        : this.server.delete(operation.key);
    });
  }

  async putLeased({ key, value, expected }: PutOperation, ttlMs: number): Promise<LeasedPair> {
    await this.#roundTrip();
    const conflict = this.server.conflict(key, expected);
    if (conflict !== undefined) throw conflict;
    const lease = this.server.grant(key, ttlMs);
    return { pair: this.server.put(key, value, lease), lease: this.#lease(lease) };
  }

  async list(query: ListQuery): Promise<ListPage> {
    await this.#roundTrip();
    const left = (query.from as KVPair[] | undefined) ?? this.server.below(query.directory);
    const count = query.limit ?? left.length;
    const rest = left.slice(count);
    return { pairs: left.slice(0, count), next: rest.length === 0 ? undefined : rest };
  }

  async deleteTree(directory: string): Promise<number> {
    await this.#roundTrip();
    const pairs = this.server.below(directory);
    for (const { key } of pairs) this.server.delete(key);
    return pairs.length;
  }

  async commit({ checks, writes }: Transaction): Promise<Committed> {
    await this.#roundTrip();
    for (const { key, expected } of checks) {
      const conflict = this.server.conflict(key, expected);
      if (conflict !== undefined) throw conflict;
    }
    const committed: Committed[number][] = [];
    for (const write of writes) {
      if (write.type === "delete") this.server.delete(write.key);
      else if (write.ttlMs === undefined) committed.push({ pair: this.server.put(write.key, write.value) });
      else {
        const lease = this.server.grant(write.key, write.ttlMs);
        committed.push({ pair: this.server.put(write.key, write.value, lease), lease: this.#lease(lease) });
      }
    }
    return committed;
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    const { server } = this;
    let asked = false;
    let open = true;
    const show = (): void => {
      if (!open || server.isCut) return;
      asked = false;
      const found = server.entries.get(scope.path)?.pair;
      sink.snapshot(scope.type === "tree" ? server.below(scope.path) : found === undefined ? [] : [found.copy()]);
    };
    const refresh = (): void => {
      if (asked) return;
      asked = true;
      setImmediate(show);
    };
    const listener = (change: UpstreamChange | undefined): void => {
      if (change === undefined) return show();
      const key = change.type === "put" ? change.pair.key : change.key;
      if (scope.type === "tree" ? isBelow(key, scope.path) : key === scope.path) sink.changes([change, change]); // as a server that repeats itself after a reconnect
    };
    server.listeners.add(listener);
    refresh();
    return {
      refresh,
      close: () => {
        open = false;
        server.listeners.delete(listener);
      },
    };
  }

  async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    await this.#roundTrip();
    const renewedAt = this.server.clock.now();
    const taken = await this.#locks.acquire(contender, request);
    if (taken === undefined) return undefined;
    return { token: taken.token, lease: this.#lease(taken.lease), renewedAt: Math.max(renewedAt, taken.at) };
  }

  ping(): Promise<void> {
    return this.#roundTrip();
  }

  async close(): Promise<void> {}

  #lease(lease: ServerLease): Lease {
    return {
      ttlMs: lease.ttlMs,
      renew: async () => {
        await this.#roundTrip();
        if (lease.over !== undefined) return lease.over === "expired" ? "lost" : "ended";
        this.server.renew(lease);
        return "renewed";
      },
      end: async () => {
        await this.#roundTrip();
        this.server.finish(lease, "ended");
      },
    };
  }

  async #roundTrip(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.server.isCut) return;
    const error = new StoreError("UNREACHABLE", "the connection is cut", { outcome: "not-applied" });
    this.#host?.suspended(error);
    throw error;
  }
}
