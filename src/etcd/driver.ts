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
import { isStoreError } from "../core/errors.js";
import type { Consistency } from "../core/store.js";
import { etcdCapabilities, maxTxnOperations } from "./capabilities.js";
import type { Cluster } from "./cluster.js";
import { commitTransaction } from "./commit.js";
import { deleteTree } from "./delete-tree.js";
import { storeError } from "./errors.js";
import { KeyStates } from "./key-states.js";
import { putLeased } from "./lease.js";
import { listPage } from "./list.js";
import { acquireLock } from "./lock.js";
import { readKeys } from "./reads.js";
import { EtcdUpstream } from "./watch.js";
import { writeKeys } from "./writes.js";

/** Kvasir's store on the keys of an etcd cluster, through its v3 API. */
export class EtcdDriver implements Driver {
  readonly backend = "etcd";
  readonly endpoint: string;
  readonly capabilities = etcdCapabilities;
  readonly batching = {
    reads: { maxOperations: maxTxnOperations, maxBytes: 1024 * 1024, concurrency: 4 },
    // A compare-and-set is a nested transaction of one operation, which counts beside those of the outer one.
    writes: { maxOperations: maxTxnOperations - 1, maxBytes: 1024 * 1024, concurrency: 4 },
  };
  readonly #cluster: Cluster;
  readonly #keyStates: KeyStates;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#keyStates = new KeyStates(cluster);
    this.endpoint = cluster.endpoint;
  }

  start(host: DriverHost): void {
    this.#cluster.client.onStateChange(({ state, error }) => {
      if (state === "suspended") host.suspended(storeError(error, this.endpoint, false));
    });
  }

  read(
    operations: readonly ReadOperation[],
    consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]> {
    return readKeys(this.#cluster, operations, consistency, request);
  }

  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    return writeKeys(this.#cluster, operations, request);
  }

  putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    return putLeased(this.#cluster, operation, ttlMs, request);
  }

  list(query: ListQuery, request: Request): Promise<ListPage> {
    return listPage(this.#cluster, query, request);
  }

  deleteTree(directory: string, request: Request): Promise<number> {
    return deleteTree(this.#cluster, directory, request);
  }

  commit(transaction: Transaction, request: Request): Promise<Committed> {
    return commitTransaction(this.#cluster, transaction, request);
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    return new EtcdUpstream(this.#cluster, this.#keyStates, scope, sink);
  }

  acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    return acquireLock(this.#cluster, contender, request);
  }

  async ping(request: Request): Promise<void> {
    try {
      await this.#cluster.reading(request, (bounds) => this.#cluster.probe(bounds));
    } catch (error) {
      // The cluster answered, after the linearizable read that the question is about.
      if (!isStoreError(error, "PERMISSION_DENIED")) throw error;
    }
  }

  async close(): Promise<void> {
    this.#cluster.client.close();
  }
}
