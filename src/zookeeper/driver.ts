import type { Capabilities } from "../core/capabilities.js";
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
import { StoreError } from "../core/errors.js";
import type { Consistency } from "../core/store.js";
import { applyTransaction } from "./commit.js";
import { deleteTree } from "./delete-tree.js";
import type { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";
import { NodeLease, putLeased } from "./lease.js";
import { listTree } from "./list.js";
import type { LockLayout } from "./lock-layout.js";
import type { LockSessions } from "./lock-sessions.js";
import { acquireLock } from "./lock.js";
import { readKeys } from "./reads.js";
import { ZookeeperUpstream } from "./watch.js";
import { writeKeys } from "./writes.js";

/** What a ZooKeeper driver is made of. */
export interface ZookeeperDriverParts {
  readonly ensemble: Ensemble;
  readonly locks: LockSessions;
  readonly lockLayout: LockLayout;
  readonly capabilities: Capabilities;
}

/** Kvasir's store on the nodes of a ZooKeeper ensemble. */
export class ZookeeperDriver implements Driver {
  readonly backend = "zookeeper";
  readonly endpoint: string;
  readonly capabilities: Capabilities;
  readonly batching = {
    // Answers are read whole: this many of the largest values are well below what the client takes.
    reads: { maxOperations: 128, maxBytes: 512 * 1024, concurrency: 4 },
    writes: { maxOperations: 128, maxBytes: 512 * 1024, concurrency: 4 },
  };
  readonly #ensemble: Ensemble;
  readonly #locks: LockSessions;
  readonly #lockLayout: LockLayout;

  constructor({ ensemble, locks, lockLayout, capabilities }: ZookeeperDriverParts) {
    this.#ensemble = ensemble;
    this.#locks = locks;
    this.#lockLayout = lockLayout;
    this.capabilities = capabilities;
    this.endpoint = ensemble.endpoint;
  }

  start(host: DriverHost): void {
    this.#ensemble.client.onStateChange(({ state, reason }) => {
      if (state.name === "connected" || state.name === "closed") return;
      const lost = new StoreError("UNREACHABLE", "the connection was lost", { backend: "zookeeper" });
      host.suspended(storeError(reason ?? lost, this.endpoint, false));
    });
  }

  refuseKey(key: string): string | undefined {
    return this.#ensemble.paths.refuse(key);
  }

  read(
    operations: readonly ReadOperation[],
    consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]> {
    return readKeys(this.#ensemble, operations, consistency, request);
  }

  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    return writeKeys(this.#ensemble, operations, request);
  }

  putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    return putLeased(this.#ensemble, operation, ttlMs, request);
  }

  list(query: ListQuery, request: Request): Promise<ListPage> {
    return listTree(this.#ensemble, query, request);
  }

  deleteTree(directory: string, request: Request): Promise<number> {
    return deleteTree(this.#ensemble, directory, request);
  }

  async commit(transaction: Transaction, request: Request): Promise<Committed> {
    const { puts } = await applyTransaction(this.#ensemble, transaction, request);
    return transaction.writes.flatMap((write, at) => {
      const put = puts[at];
      if (write.type === "delete" || put === undefined) return [];
      const { pair, stat } = put;
      if (write.ttlMs === undefined) return [{ pair }];
      return [{ pair, lease: new NodeLease(this.#ensemble, write.key, stat, write.ttlMs) }];
    });
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    return new ZookeeperUpstream(this.#ensemble, scope, sink);
  }

  async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    return acquireLock(await this.#locks.for(contender.ttlMs), this.#lockLayout, contender, request);
  }

  async ping(request: Request): Promise<void> {
    await this.#ensemble.reading(request, (bounds) => this.#ensemble.barrier(bounds));
  }

  async close(): Promise<void> {
    await Promise.all([this.#locks.close(), this.#ensemble.client.close()]);
  }
}
