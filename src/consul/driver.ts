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
  WatchScope,
  WatchSink,
  WriteAnswer,
  WriteOperation,
} from "../core/driver.js";
import type { Capabilities } from "../core/capabilities.js";
import { DirectoryWatches } from "../core/directory-watches.js";
import { isStoreError, StoreError } from "../core/errors.js";
import { directoryPrefix } from "../core/keys.js";
import { KVPair } from "../core/pair.js";
import type { Consistency } from "../core/store.js";
import type { Clock } from "../util/clock.js";
import { consulCapabilities, refuseKey } from "./capabilities.js";
import type { BlockingQueries } from "./client/blocking-queries.js";
import type { ConsulHttp } from "./client/http.js";
import { type KvOperation, OperationLimit, transact } from "./client/transaction.js";
import { storeError } from "./errors.js";
import { acquireLock } from "./lock.js";
import { isCanonical, keyPath, pairsOf } from "./pairs.js";
import { readKeys } from "./reads.js";
import { createSession, destroySession, SessionLease } from "./sessions.js";
import { mostSplitQueries, WatchQuery } from "./watch-query.js";
import { checkOf, comparisonFailed } from "./write-steps.js";
import { writeTogether } from "./writes.js";

/** What a Consul driver is made of. */
export interface ConsulDriverParts {
  readonly http: ConsulHttp;
  readonly clock: Clock;
  readonly queries: BlockingQueries;
  readonly minimumTtlMs: number;
  readonly lockDelayMs: number;
}

/** Kvasir's store on Consul's key/value store: everything by `/v1/txn`, lists and watches by `/v1/kv`. */
export class ConsulDriver implements Driver {
  readonly backend = "consul";
  readonly endpoint: string;
  readonly capabilities: Capabilities;
  readonly refuseKey = refuseKey;
  readonly batching: Driver["batching"];
  readonly #parts: ConsulDriverParts;
  readonly #http: ConsulHttp;
  readonly #limit = new OperationLimit();
  /** The keys that sessions made here hold, each with its lease. */
  readonly #leases = new Map<string, SessionLease>();
  readonly #watches: DirectoryWatches;
  #host: DriverHost | undefined;

  constructor(parts: ConsulDriverParts) {
    this.#parts = parts;
    this.#http = parts.http;
    this.endpoint = parts.http.endpoints.join(",");
    const watching = { clock: parts.clock, suspended: (reason: StoreError) => this.#host?.suspended(reason) };
    this.#watches = new DirectoryWatches(watching, (scope) => new WatchQuery(parts, scope), {
      most: mostSplitQueries,
      underway: () => parts.queries.size,
      sourceOf: (part, host) => new WatchQuery(parts, part, host),
    });
    this.capabilities = consulCapabilities(parts.minimumTtlMs);
    const limit = this.#limit;
    this.batching = {
      reads: {
        get maxOperations() {
          return limit.most;
        },
        enough: 32,
        maxBytes: 400_000,
        concurrency: 4,
      },
      // Half of what the oldest servers take: so two batches are under way where 64 callers wait, and one of deletes, of two
      // operations each, needs no second request. In base64 this stays below the 512 KiB of a request. Two thirds are enough:
      // waiting for a whole batch would often leave one or two writes to a request of their own.
      writes: { maxOperations: 32, enough: 21, maxBytes: 340_000, concurrency: 4 },
    };
  }

  start(host: DriverHost): void {
    this.#host = host;
  }

  read(
    operations: readonly ReadOperation[],
    consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]> {
    const host = { http: this.#http, limit: this.#limit };
    return readKeys(host, operations, consistency === "stale" ? "stale" : "consistent", request);
  }

  async write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    try {
      const host = { http: this.#http, limit: this.#limit, ownLeases: this.#leases };
      return await writeTogether(host, operations, request);
    } catch (error) {
      throw storeError(error, true);
    }
  }

  async putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    const { key, value } = operation;
    const session = await this.#createSession(ttlMs, request);
    const comparison = checkOf(operation);
    const replace: KvOperation[] = [
      { verb: "delete", key },
      { verb: "lock", key, value, session },
    ];
    try {
      const outcome = await transact(this.#http, [...comparison, ...replace], request);
      if ("failures" in outcome) throw comparisonFailed(operation, outcome.failures[0]!.what);
      const pair = new KVPair(key, value, BigInt(outcome.results.at(-1)!.ModifyIndex), ttlMs);
      return { pair, lease: this.#leaseOf(session, key, ttlMs) };
    } catch (error) {
      await this.#dropSession(session);
      throw storeError(error, true);
    }
  }

  async list(query: ListQuery, request: Request): Promise<ListPage> {
    const refused = refusedDirectory(query.directory);
    if (refused !== undefined) throw refused;
    const mode = query.consistency === "stale" ? { stale: "" } : { consistent: "" };
    const shape = query.keysOnly ? { keys: "" } : { recurse: "" };
    const prefix = directoryPrefix(query.directory);
    try {
      const reply = await this.#http.request({
        method: "GET",
        path: keyPath(this.#http, prefix),
        query: { ...shape, ...mode },
        accept: [404],
        ...request,
      });
      if (reply.status === 404) return { pairs: [] };
      const body = query.keysOnly ? keysAsResults(reply.body) : reply.body;
      return { pairs: pairsOf(this.#http, body) };
    } catch (error) {
      throw storeError(error, false);
    }
  }

  async deleteTree(directory: string, request: Request): Promise<number> {
    const key = directoryPrefix(directory);
    const remove: KvOperation = { verb: "delete-tree", key };
    if (this.#http.keyPrefix + key === "") return this.#deleteEverything(remove, request);
    const outcome = await this.#transact([{ verb: "get-tree", key }, remove], request, true);
    if ("failures" in outcome)
      throw comparisonFailed({ key: directory, expected: undefined }, outcome.failures[0]!.what);
    return outcome.results.filter((result) => isCanonical(result.Key)).length;
  }

  async commit({ checks, writes }: Transaction, request: Request): Promise<Committed> {
    const sessions: (string | undefined)[] = [];
    try {
      for (const write of writes) {
        const ttlMs = write.type === "put" ? write.ttlMs : undefined;
        sessions.push(ttlMs === undefined ? undefined : await this.#createSession(ttlMs, request));
      }
      const guards = checks.map((check) => checkOf(check)[0]!);
      const operations = [...guards, ...writes.flatMap((write, at) => operationsOf(write, sessions[at]))];
      const outcome = await transact(this.#http, operations, request);
      if ("failures" in outcome) {
        const { index, what } = outcome.failures[0]!;
        throw comparisonFailed(checks[index] ?? { key: operations[index]!.key, expected: undefined }, what);
      }
      const revision = BigInt(outcome.results.at(-1)?.ModifyIndex ?? 0);
      return this.#committed(writes, sessions, revision);
    } catch (error) {
      for (const session of sessions) if (session !== undefined) await this.#dropSession(session);
      throw storeError(error, true);
    }
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    const refused = refusedDirectory(scope.path);
    if (refused !== undefined) {
      queueMicrotask(() => sink.fail(refused));
      return { refresh: () => {}, close: () => {} };
    }
    return this.#watches.watch(scope, sink);
  }

  async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    try {
      return await acquireLock(this.#parts, contender, request);
    } catch (error) {
      if (request.signal?.aborted === true && error === request.signal.reason) throw error;
      throw storeError(error, true);
    }
  }

  async ping(request: Request): Promise<void> {
    try {
      const path = keyPath(this.#http, "kvasir");
      await this.#http.request({ method: "GET", path, query: { consistent: "" }, accept: [404], ...request });
    } catch (error) {
      const explained = storeError(error, false);
      // An answer all the same: the token is known, and may do other things.
      if (!isStoreError(explained, "PERMISSION_DENIED")) throw explained;
    }
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  /** A transaction takes no `get-tree` of the empty key ("Must provide key"), so here the count is that of a moment before. */
  async #deleteEverything(remove: KvOperation, request: Request): Promise<number> {
    const all: ListQuery = {
      directory: "",
      limit: undefined,
      depth: undefined,
      keysOnly: true,
      consistency: "linearizable",
    };
    const { pairs } = await this.list(all, request);
    const outcome = await this.#transact([remove], request, true);
    if ("failures" in outcome) throw comparisonFailed({ key: "", expected: undefined }, outcome.failures[0]!.what);
    return pairs.length;
  }

  #committed(writes: Transaction["writes"], sessions: readonly (string | undefined)[], revision: bigint): Committed {
    return writes.flatMap((write, at): { pair: KVPair; lease?: Lease }[] => {
      if (write.type === "delete") return [];
      const pair = new KVPair(write.key, write.value, revision, write.ttlMs);
      const session = sessions[at];
      if (session === undefined || write.ttlMs === undefined) return [{ pair }];
      return [{ pair, lease: this.#leaseOf(session, write.key, write.ttlMs) }];
    });
  }

  #leaseOf(session: string, key: string, ttlMs: number): SessionLease {
    const lease = new SessionLease(this.#http, session, key, ttlMs, () => {
      if (this.#leases.get(key) === lease) this.#leases.delete(key);
    });
    this.#leases.set(key, lease);
    return lease;
  }

  async #createSession(ttlMs: number, request: Request): Promise<string> {
    try {
      return await createSession(this.#http, { name: "kvasir ttl", ttlMs, lockDelayMs: 1 }, request);
    } catch (error) {
      // The key itself was not touched, whatever became of the session.
      const explained = storeError(error, true);
      throw explained.outcome === "unknown" ? storeError(error, false).with({ outcome: "not-applied" }) : explained;
    }
  }

  async #dropSession(session: string): Promise<void> {
    await destroySession(this.#http, session, { deadline: this.#parts.clock.now() + 2_000 }).catch(() => {});
  }

  async #transact(
    operations: readonly KvOperation[],
    options: Parameters<typeof transact>[2],
    write: boolean,
  ): ReturnType<typeof transact> {
    try {
      return await transact(this.#http, operations, options);
    } catch (error) {
      throw storeError(error, write);
    }
  }
}

/** A put first deletes: so the key loses the session of an earlier ttl. */
function operationsOf(write: Transaction["writes"][number], session: string | undefined): KvOperation[] {
  const { key } = write;
  if (write.type === "delete") return [{ verb: "delete", key }];
  const { value } = write;
  const set: KvOperation = session === undefined ? { verb: "set", key, value } : { verb: "lock", key, value, session };
  return [{ verb: "delete", key }, set];
}

/** The core refuses keys, but knows nothing of directories. */
function refusedDirectory(directory: string): StoreError | undefined {
  const reason = refuseKey(directory);
  return reason === undefined ? undefined : new StoreError("NOT_SUPPORTED", reason, { key: directory });
}

/** The names of a `?keys` answer in the form of a recursive read's. */
function keysAsResults(body: string): string {
  const keys = JSON.parse(body) as string[];
  return JSON.stringify(keys.map((Key) => ({ Key, Value: null, ModifyIndex: 0 })));
}
