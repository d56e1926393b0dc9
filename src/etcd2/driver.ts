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
import { DirectoryWatches } from "../core/directory-watches.js";
import { isStoreError, type StoreError } from "../core/errors.js";
import type { Consistency } from "../core/store.js";
import { etcd2Capabilities, refuseKey } from "./capabilities.js";
import { callConnections } from "./client/endpoints.js";
import type { Cluster } from "./cluster.js";
import { deleteTree } from "./delete-tree.js";
import { storeError } from "./errors.js";
import { acquireLock } from "./lock.js";
import { putLeased } from "./put-leased.js";
import { get, list, look } from "./reads.js";
import { commit } from "./transaction.js";
import { WatchFeed } from "./watch-feed.js";
import { put, remove } from "./writes.js";

/** The v2 API takes one key a request: concurrent calls share connections, not requests. */
const oneByOne = { maxOperations: 1, maxBytes: Number.POSITIVE_INFINITY, concurrency: callConnections };

/** Kvasir's store on etcd's keys API of version 2. */
export class Etcd2Driver implements Driver {
  readonly backend = "etcd2";
  readonly endpoint: string;
  readonly capabilities: Capabilities = etcd2Capabilities;
  readonly batching = { reads: oneByOne, writes: oneByOne };
  readonly refuseKey = refuseKey;
  readonly #cluster: Cluster;
  readonly #watches: DirectoryWatches;
  #host: DriverHost | undefined;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.endpoint = cluster.client.endpoints.map((url) => url.replace(/^https?:\/\//, "")).join(",");
    const host = { clock: cluster.clock, suspended: (reason: StoreError) => this.#host?.suspended(reason) };
    this.#watches = new DirectoryWatches(host, (scope) => new WatchFeed(cluster, scope));
  }

  start(host: DriverHost): void {
    this.#host = host;
  }

  read(
    operations: readonly ReadOperation[],
    consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]> {
    return Promise.all(
      operations.map(async ({ type, key }) => {
        try {
          const pair = await get(this.#cluster, key, consistency, request);
          return type === "exists" ? pair !== undefined : pair;
        } catch (error) {
          throw storeError(error, false);
        }
      }),
    );
  }

  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    return Promise.all(
      operations.map(async (operation) => {
        if (operation.type === "delete") return remove(this.#cluster, operation, request);
        return (await put(this.#cluster, operation, undefined, request)).pair;
      }),
    );
  }

  putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    return putLeased(this.#cluster, operation, ttlMs, request);
  }

  async list(query: ListQuery, request: Request): Promise<ListPage> {
    try {
      return await list(this.#cluster, query, request);
    } catch (error) {
      throw storeError(error, false);
    }
  }

  deleteTree(directory: string, request: Request): Promise<number> {
    return deleteTree(this.#cluster, directory, request);
  }

  commit(transaction: Transaction, request: Request): Promise<Committed> {
    return commit(this.#cluster, transaction, request);
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    return this.#watches.watch(scope, sink);
  }

  acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    return acquireLock(this.#cluster, contender, request);
  }

  async ping(request: Request): Promise<void> {
    try {
      // Hidden and never there: a small answer that needs the leader all the same.
      await look(this.#cluster, "_kvasir", { consistency: "linearizable" }, request);
    } catch (error) {
      const explained = storeError(error, false);
      // An answer too: the user may do other things.
      if (!isStoreError(explained, "PERMISSION_DENIED") && !isStoreError(explained, "UNAUTHENTICATED")) throw explained;
    }
  }

  close(): Promise<void> {
    return this.#cluster.client.close();
  }
}
