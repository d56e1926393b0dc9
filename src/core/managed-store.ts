import { type Clock, systemClock } from "../util/clock.js";
import { checkValue, effectiveTtl, expectation, invalid, positiveInteger, valueBytes } from "./arguments.js";
import { AtomicBuilder } from "./atomic.js";
import { type Call, Calls, type CallSubject } from "./calls.js";
import type { Capabilities } from "./capabilities.js";
import { Connectivity } from "./connectivity.js";
import { callsAreTraced, traceCall } from "./diagnostics.js";
import type { Driver, Expectation, ListQuery, ReadOperation, Transaction } from "./driver.js";
import { isStoreError, StoreError } from "./errors.js";
import { canonicalDirectory, canonicalKey } from "./keys.js";
import { LeasedKeys } from "./leased-keys.js";
import { collect, namesOf, withinDepth } from "./listing.js";
import { ManagedLock } from "./lock.js";
import type { ManagedHold } from "./lock-hold.js";
import { NamespacedStore } from "./namespace.js";
import { defaults, type StoreOptions } from "./options.js";
import type { KVPair } from "./pair.js";
import { Requests } from "./requests.js";
import { scanPages } from "./scan.js";
import { Signals } from "./signals.js";
import type {
  Atomic,
  CallOptions,
  Consistency,
  DeleteTreeOptions,
  ListOptions,
  Lock,
  LockOptions,
  Previous,
  PutOptions,
  ReadOptions,
  ScanOptions,
  StateChange,
  Store,
  StoreState,
  TreeChange,
  Updater,
  WatchOptions,
} from "./store.js";
import { updateKey } from "./update.js";
import { WatchHub } from "./watch-hub.js";

/**
 * The store on top of any driver. It checks what comes in, and leaves each concern to its own part: calls under way
 * (`Calls`), sending (`Requests`), the connection (`Connectivity`), ttl (`LeasedKeys`), watches (`WatchHub`), locks
 * (`ManagedLock`).
 */
export class ManagedStore implements Store {
  readonly backend: string;
  readonly capabilities: Capabilities;
  readonly #driver: Driver;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #connectivity: Connectivity;
  readonly #calls: Calls;
  readonly #requests: Requests;
  readonly #leased: LeasedKeys;
  readonly #watches: WatchHub;
  readonly #holds = new Set<ManagedHold>();
  #closing: Promise<void> | undefined;

  constructor(driver: Driver, options: StoreOptions = {}) {
    const { backend, endpoint, capabilities } = driver;
    this.backend = backend;
    this.capabilities = capabilities;
    this.#driver = driver;
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? defaults.timeoutMs;
    const place = { backend, endpoint };
    const signals = new Signals();
    this.#connectivity = new Connectivity(this.#clock, place, (deadline) => driver.ping({ deadline }));
    this.#calls = new Calls({
      clock: this.#clock,
      timeoutMs: this.#timeoutMs,
      maxPending: options.maxPending ?? defaults.maxPending,
      place,
      isSuspended: () => this.#connectivity.state === "suspended",
      signals,
    });
    this.#requests = new Requests(driver, this.#connectivity, options.batch ?? true);
    this.#leased = new LeasedKeys({
      clock: this.#clock,
      connectivity: this.#connectivity,
      onTime: capabilities.ttl.lateByFactor === 1 && capabilities.ttl.outlivesWriter,
      putLeased: (operation, ttlMs) =>
        this.#single({ operation: "put", key: operation.key, write: true }, undefined, (request) =>
          driver.putLeased(operation, ttlMs, request),
        ),
    });
    this.#watches = new WatchHub(driver, signals, () =>
      this.#calls.check({ operation: "watch", key: "", write: false }, undefined),
    );
    driver.start({ suspended: (reason) => this.#connectivity.suspend(reason) });
  }

  get state(): StoreState {
    return this.#connectivity.state;
  }

  get(key: string, options?: ReadOptions): Promise<KVPair | undefined> {
    return this.#read("get", key, options) as Promise<KVPair | undefined>;
  }

  exists(key: string, options?: ReadOptions): Promise<boolean> {
    return this.#read("exists", key, options) as Promise<boolean>;
  }

  put(key: string, value: string | Uint8Array, options?: PutOptions): Promise<KVPair> {
    return this.#put("put", key, value, undefined, options);
  }

  atomicPut(key: string, value: string | Uint8Array, previous: Previous, options?: PutOptions): Promise<KVPair> {
    return this.#put("atomicPut", key, value, (canonical) => expectation(canonical, previous), options);
  }

  delete(key: string, options?: CallOptions): Promise<boolean> {
    return this.#delete("delete", key, undefined, options);
  }

  async atomicDelete(
    key: string,
    previous: KVPair | { readonly revision: bigint },
    options?: CallOptions,
  ): Promise<void> {
    const expected = (canonical: string): Expectation => {
      const found = expectation(canonical, previous);
      if (found === "absent") throw invalid("previous is a pair or { revision }: there is nothing to delete otherwise");
      return found;
    };
    await this.#delete("atomicDelete", key, expected, options);
  }

  list(directory: string, options: ListOptions = {}): Promise<KVPair[]> {
    return this.#list("list", directory, false, options, (page, at, depth) => withinDepth(page.pairs, at, depth));
  }

  keys(directory: string, options: ListOptions = {}): Promise<string[]> {
    return this.#list("keys", directory, true, options, namesOf);
  }

  scan(directory: string, options: ScanOptions = {}): AsyncIterable<KVPair> {
    const query = this.#query(directory, false, options);
    const pageSize = this.#placed(() => positiveInteger("pageSize", options.pageSize)) ?? defaults.scanPageSize;
    const subject = { operation: "scan", key: query.directory, write: false };
    return scanPages(query, options.limit, pageSize, (page) =>
      this.#single(subject, options, (request) => this.#driver.list(page, request)),
    );
  }

  async deleteTree(directory: string, options: DeleteTreeOptions = {}): Promise<number> {
    const tree = this.#placed(() => canonicalDirectory(directory));
    if (tree === "" && options.root !== true)
      throw this.#invalid('deleting everything takes deleteTree("", { root: true })');
    const subject = { operation: "deleteTree", key: tree, write: true };
    const count = await this.#single(subject, options, (request) => this.#driver.deleteTree(tree, request), { tree });
    this.#leased.forgetTree(tree);
    return count;
  }

  async update(key: string, fn: Updater, options: PutOptions = {}): Promise<KVPair | undefined> {
    const canonical = this.#key(key);
    this.#calls.check({ operation: "update", key: canonical, write: true }, options);
    this.#placed(() => effectiveTtl(options, this.capabilities), canonical);
    return updateKey(this, this.#clock, canonical, fn, { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs });
  }

  atomic(): Atomic {
    return new AtomicBuilder(
      this.capabilities,
      (key) => this.#key(key),
      (transaction, keepAlive, options) => this.#commit(transaction, keepAlive, options),
    );
  }

  watch(key: string, options?: WatchOptions): AsyncIterable<KVPair | undefined> {
    return this.#watches.watchKey(this.#key(key), options);
  }

  watchTree(directory: string, options?: WatchOptions): AsyncIterable<TreeChange> {
    return this.#watches.watchTree(
      this.#placed(() => canonicalDirectory(directory)),
      options,
    );
  }

  newLock(key: string, options: LockOptions = {}): Lock {
    const canonical = this.#key(key);
    const [value, ttlMs] = this.#placed(() => {
      const bytes = valueBytes(options.value ?? "");
      checkValue(bytes, this.capabilities);
      return [bytes, effectiveTtl({ ttlMs: options.ttlMs ?? defaults.lockTtlMs }, this.capabilities)!] as const;
    }, canonical);
    const host = {
      driver: this.#driver,
      clock: this.#clock,
      calls: this.#calls,
      connectivity: this.#connectivity,
      holds: this.#holds,
    };
    return new ManagedLock(host, canonical, value, ttlMs);
  }

  namespace(prefix: string): Store {
    return new NamespacedStore(this, this.#key(prefix), (keys) => this.#leased.endKeepAlive(keys));
  }

  ping(options?: CallOptions): Promise<void> {
    return this.#single({ operation: "ping", key: "", write: false }, options, (request) => this.#driver.ping(request));
  }

  onStateChange(listener: (change: StateChange) => void): () => void {
    return this.#connectivity.onChange(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#calls.close();
    this.#watches.close();
    await Promise.all([...[...this.#holds].map((hold) => hold.close()), this.#leased.close()]);
    this.#connectivity.close();
    await this.#driver.close();
  }

  /** The canonical form of a key that this backend can store. */
  #key(key: string): string {
    const canonical = this.#placed(() => canonicalKey(key));
    const refusal = this.#driver.refuseKey?.(canonical);
    if (refusal === undefined) return canonical;
    const { backend, endpoint } = this.#driver;
    throw new StoreError("NOT_SUPPORTED", refusal, { backend, endpoint, key: canonical, outcome: "not-applied" });
  }

  /** Runs a check of input; what it throws says of which store and key it speaks. */
  #placed<T>(check: () => T, key?: string): T {
    try {
      return check();
    } catch (error) {
      const { backend, endpoint } = this.#driver;
      throw isStoreError(error) ? error.with({ backend, endpoint, key }) : error;
    }
  }

  #invalid(reason: string, key?: string): StoreError {
    const { backend, endpoint } = this.#driver;
    return invalid(reason).with({ backend, endpoint, key });
  }

  #read(type: ReadOperation["type"], key: string, options: ReadOptions | undefined): Promise<unknown> {
    try {
      const operation = { type, key: this.#key(key) };
      const subject = { operation: type, key: operation.key, write: false };
      const consistency =
        options === undefined ? "linearizable" : this.#placed(() => consistencyOf(options), operation.key);
      const now = this.#driver.readNow?.(operation);
      if (now !== undefined && !callsAreTraced()) {
        this.#calls.check(subject, options);
        return now.answer instanceof StoreError ? Promise.reject(now.answer) : Promise.resolve(now.answer);
      }
      return this.#send(subject, options, (call) => this.#requests.read(operation, consistency, call));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #put(
    name: string,
    key: string,
    value: string | Uint8Array,
    expect: ((key: string) => Expectation) | undefined,
    options: PutOptions | undefined,
  ): Promise<KVPair> {
    const canonical = this.#key(key);
    const [operation, ttlMs] = this.#placed(() => {
      const bytes = valueBytes(value);
      checkValue(bytes, this.capabilities);
      const put = { type: "put", key: canonical, value: bytes, expected: expect?.(canonical) } as const;
      return [put, options === undefined ? undefined : effectiveTtl(options, this.capabilities)] as const;
    }, canonical);
    const subject = { operation: name, key: canonical, write: true };
    if (ttlMs === undefined) {
      const pair = await this.#send<KVPair>(subject, options, (call) => this.#requests.write(operation, call));
      this.#leased.forget(canonical);
      return pair;
    }
    let sentAt = 0;
    const leased = await this.#single(
      subject,
      options,
      (request) => {
        sentAt = this.#clock.now();
        return this.#driver.putLeased(operation, ttlMs, request);
      },
      { keys: [canonical] },
    );
    this.#leased.add(operation, leased, { keepAlive: options?.keepAlive === true, sentAt });
    return leased.pair;
  }

  async #delete(
    name: string,
    key: string,
    expect: ((key: string) => Expectation) | undefined,
    options: CallOptions | undefined,
  ): Promise<boolean> {
    const canonical = this.#key(key);
    const expected = this.#placed(() => expect?.(canonical), canonical);
    const operation = { type: "delete", key: canonical, expected } as const;
    const subject = { operation: name, key: canonical, write: true };
    const there = await this.#send<boolean>(subject, options, (call) => this.#requests.write(operation, call));
    this.#leased.forget(canonical);
    return there;
  }

  async #commit(
    transaction: Transaction,
    keepAlive: ReadonlySet<string>,
    options: CallOptions | undefined,
  ): Promise<KVPair[]> {
    const { checks, writes } = transaction;
    const keys = [...new Set([...checks, ...writes].map(({ key }) => key))];
    let sentAt = 0;
    const committed = await this.#single(
      { operation: "commit", key: "", write: true },
      options,
      (request) => {
        sentAt = this.#clock.now();
        return this.#driver.commit(transaction, request);
      },
      { keys },
    );
    const puts = writes.filter((write) => write.type === "put");
    for (const write of writes)
      if (write.type === "delete" || write.ttlMs === undefined) this.#leased.forget(write.key);
    for (const [at, { pair, lease }] of committed.entries()) {
      if (lease === undefined) continue;
      this.#leased.add(puts[at]!, { pair, lease }, { keepAlive: keepAlive.has(pair.key), sentAt });
    }
    return committed.map(({ pair }) => pair);
  }

  #query(directory: string, keysOnly: boolean, options: ListOptions): ListQuery {
    return this.#placed(() => ({
      directory: canonicalDirectory(directory),
      limit: positiveInteger("limit", options.limit),
      depth: positiveInteger("depth", options.depth),
      keysOnly,
      consistency: consistencyOf(options),
    }));
  }

  async #list<Entry>(
    operation: string,
    directory: string,
    keysOnly: boolean,
    options: ListOptions,
    entriesOf: (
      page: Awaited<ReturnType<Driver["list"]>>,
      directory: string,
      depth: number | undefined,
    ) => readonly Entry[],
  ): Promise<Entry[]> {
    const query = this.#query(directory, keysOnly, options);
    const { depth, limit } = query;
    // Where deeper keys are cut away, a page of `limit` entries could take many round trips to fill.
    const pageLimit = limit !== undefined && depth !== undefined ? Math.max(limit, defaults.scanPageSize) : limit;
    const subject = { operation, key: query.directory, write: false };
    return this.#single(subject, options, (request) =>
      collect(
        { ...query, limit: pageLimit },
        limit,
        (page) => this.#driver.list(page, request),
        (page) => entriesOf(page, query.directory, depth),
      ),
    );
  }

  #single<T>(
    subject: CallSubject,
    options: CallOptions | undefined,
    run: Parameters<typeof Requests.prototype.single<T>>[2],
    scope?: Parameters<typeof Requests.prototype.single<T>>[1],
  ): Promise<T> {
    return this.#send<T>(subject, options, (call) => this.#requests.single(call, scope, run));
  }

  /** Admits a call and sends it on its way; its promise settles as the first of answer, deadline, abort and close. */
  #send<T>(subject: CallSubject, options: CallOptions | undefined, start: (call: Call<T>) => void): Promise<T> {
    const run = (): Promise<T> => {
      const call = this.#calls.begin<T>(subject, options);
      start(call);
      return call.promise;
    };
    try {
      if (!callsAreTraced()) return run();
      const { backend, endpoint } = this.#driver;
      return traceCall({ operation: subject.operation, backend, endpoint, key: subject.key }, async () => run());
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function consistencyOf(options: ReadOptions | undefined): Consistency {
  const consistency = options?.consistency ?? "linearizable";
  if (consistency === "linearizable" || consistency === "stale") return consistency;
  throw invalid(`consistency is "linearizable" or "stale", not ${JSON.stringify(consistency)}`);
}
