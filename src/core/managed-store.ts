import { type Clock, systemClock } from "../util/clock.js";
import { settledWithin } from "../util/settled-within.js";
import { positiveInteger, timeout } from "./arguments.js";
import { AtomicBuilder } from "./atomic.js";
import { Calls } from "./calls.js";
import type { Capabilities } from "./capabilities.js";
import { Connectivity } from "./connectivity.js";
import { callsAreTraced } from "./diagnostics.js";
import type { Driver, ListPage, ListQuery, PutOperation, ReadOperation } from "./driver.js";
import { StoreError } from "./errors.js";
import { Input } from "./input.js";
import { LeasedKeys } from "./leased-keys.js";
import { collect, namesOf, withinDepth } from "./listing.js";
import { ManagedLock } from "./lock.js";
import type { ManagedHold } from "./lock-hold.js";
import { NamespacedStore } from "./namespace.js";
import { defaults, type StoreOptions } from "./options.js";
import type { KVPair } from "./pair.js";
import { Requests } from "./requests.js";
import { scanPages } from "./scan.js";
import { Sender } from "./sender.js";
import { Signals } from "./signals.js";
import type {
  Atomic,
  CallOptions,
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
import { Writes } from "./writes.js";

/** How long a closing store waits for what it gives back, in milliseconds; the rest runs out on the server. */
const closeTimeoutMs = 3_000;

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
  readonly #sender: Sender;
  readonly #input: Input;
  readonly #writes: Writes;
  readonly #leased: LeasedKeys;
  readonly #watches: WatchHub;
  readonly #holds = new Set<ManagedHold>();
  readonly #contenders = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  constructor(driver: Driver, options: StoreOptions = {}) {
    const { backend, endpoint, capabilities } = driver;
    this.backend = backend;
    this.capabilities = capabilities;
    this.#driver = driver;
    this.#input = new Input(driver);
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = timeout(options.timeoutMs) ?? defaults.timeoutMs;
    const place = { backend, endpoint };
    const signals = new Signals();
    this.#connectivity = new Connectivity(this.#clock, place, (deadline) => driver.ping({ deadline }));
    this.#calls = new Calls({
      clock: this.#clock,
      timeoutMs: this.#timeoutMs,
      maxPending: positiveInteger("maxPending", options.maxPending) ?? defaults.maxPending,
      place,
      isSuspended: () => this.#connectivity.state === "suspended",
      signals,
    });
    this.#requests = new Requests(driver, this.#connectivity, options.batch ?? true);
    this.#sender = new Sender(driver, this.#calls, this.#requests);
    this.#leased = new LeasedKeys({
      clock: this.#clock,
      connectivity: this.#connectivity,
      onTime: capabilities.ttl.lateByFactor === 1 && capabilities.ttl.outlivesWriter,
      putLeased: (operation, ttlMs, onLate) =>
        this.#sender.single(
          { operation: "put", key: operation.key, write: true },
          undefined,
          async (request) => {
            const sentAt = this.#clock.now();
            return { ...(await driver.putLeased(operation, ttlMs, request)), sentAt };
          },
          { keys: [operation.key] },
          ({ lease }) => onLate(lease),
        ),
    });
    this.#writes = new Writes({
      driver,
      clock: this.#clock,
      requests: this.#requests,
      sender: this.#sender,
      leased: this.#leased,
    });
    this.#watches = new WatchHub(driver, signals, () =>
      this.#calls.check({ operation: "watch", key: "", write: false }, undefined),
    );
    driver.start({
      suspended: (reason) => this.#connectivity.suspend(reason),
      failed: (reason) => {
        this.#closing ??= this.#close(reason);
      },
    });
  }

  get state(): StoreState {
    return this.#connectivity.state;
  }

  get(key: string, options?: ReadOptions): Promise<KVPair | undefined> {
    if (options === undefined && !this.#calls.closed && !callsAreTraced()) {
      const known = this.#driver.recall?.(key);
      if (known !== undefined) return Promise.resolve(known);
    }
    return this.#read("get", key, options) as Promise<KVPair | undefined>;
  }

  exists(key: string, options?: ReadOptions): Promise<boolean> {
    return this.#read("exists", key, options) as Promise<boolean>;
  }

  put(key: string, value: string | Uint8Array, options?: PutOptions): Promise<KVPair> {
    return checked(() => this.#put("put", this.#input.put(key, value), options));
  }

  atomicPut(key: string, value: string | Uint8Array, previous: Previous, options?: PutOptions): Promise<KVPair> {
    const comparison = { previous, mayBeAbsent: true };
    return checked(() => this.#put("atomicPut", this.#input.put(key, value, comparison), options));
  }

  delete(key: string, options?: CallOptions): Promise<boolean> {
    return checked(() => this.#writes.delete("delete", this.#input.delete(key), options));
  }

  async atomicDelete(
    key: string,
    previous: KVPair | { readonly revision: bigint },
    options?: CallOptions,
  ): Promise<void> {
    await this.#writes.delete("atomicDelete", this.#input.delete(key, { previous, mayBeAbsent: false }), options);
  }

  async list(directory: string, options: ListOptions = {}): Promise<KVPair[]> {
    const query = this.#input.query(directory, false, options);
    return this.#list("list", query, options, (page) => withinDepth(page.pairs, query.directory, query.depth));
  }

  async keys(directory: string, options: ListOptions = {}): Promise<string[]> {
    const query = this.#input.query(directory, true, options);
    return this.#list("keys", query, options, (page) => namesOf(page, query.directory, query.depth));
  }

  scan(directory: string, options: ScanOptions = {}): AsyncIterable<KVPair> {
    const query = this.#input.query(directory, false, options);
    const pageSize = this.#input.pageSize(options.pageSize);
    const subject = { operation: "scan", key: query.directory, write: false };
    return scanPages(query, pageSize, (page) =>
      this.#sender.single(subject, options, (request) => this.#driver.list(page, request)),
    );
  }

  async deleteTree(directory: string, options: DeleteTreeOptions = {}): Promise<number> {
    const tree = this.#input.tree(directory, options);
    return this.#writes.deleteTree(tree, options);
  }

  async update(key: string, fn: Updater, options: PutOptions = {}): Promise<KVPair | undefined> {
    const canonical = this.#input.key(key, true);
    this.#input.updater(fn, canonical);
    this.#input.ttl(options, canonical);
    this.#calls.check({ operation: "update", key: canonical, write: true }, options);
    return updateKey(this, this.#clock, canonical, fn, { ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs });
  }

  atomic(): Atomic {
    return new AtomicBuilder(this.#input, this.capabilities.atomic, (transaction, keepAlive, options) =>
      this.#writes.commit(transaction, keepAlive, options),
    );
  }

  watch(key: string, options?: WatchOptions): AsyncIterable<KVPair | undefined> {
    return this.#watches.watchKey(this.#input.key(key, false), options);
  }

  watchTree(directory: string, options?: WatchOptions): AsyncIterable<TreeChange> {
    return this.#watches.watchTree(this.#input.directory(directory), options);
  }

  newLock(key: string, options: LockOptions = {}): Lock {
    const lock = this.#input.lock(key, options);
    const host = {
      driver: this.#driver,
      clock: this.#clock,
      calls: this.#calls,
      connectivity: this.#connectivity,
      holds: this.#holds,
      contenders: this.#contenders,
    };
    return new ManagedLock(host, lock.key, lock.value, lock.ttlMs);
  }

  namespace(prefix: string): Store {
    return new NamespacedStore(this, this.#input.key(prefix, false), (keys) => this.#leased.endKeepAlive(keys));
  }

  ping(options?: CallOptions): Promise<void> {
    return this.#sender.single({ operation: "ping", key: "", write: false }, options, (request) =>
      this.#driver.ping(request),
    );
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

  async #close(reason?: StoreError): Promise<void> {
    this.#calls.close();
    this.#watches.close();
    const ends = [...Array.from(this.#holds, (hold) => hold.close()), this.#leased.close(), this.#requests.settled()];
    await settledWithin(Promise.all([...ends, ...this.#contenders]), closeTimeoutMs, this.#clock);
    this.#connectivity.close(reason);
    await this.#driver.close();
  }

  #read(type: ReadOperation["type"], key: string, options: ReadOptions | undefined): Promise<unknown> {
    try {
      const operation = { type, key: this.#input.key(key, false) };
      const consistency = this.#input.consistency(options, operation.key);
      const subject = { operation: type, key: operation.key, write: false };
      this.#calls.check(subject, options);
      const now = callsAreTraced() ? undefined : this.#driver.readNow?.(operation);
      if (now === undefined)
        return this.#sender.send(subject, options, (call) => this.#requests.read(operation, consistency, call));
      return now.answer instanceof StoreError ? Promise.reject(now.answer) : Promise.resolve(now.answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #put(name: string, operation: PutOperation, options: PutOptions | undefined): Promise<KVPair> {
    const ttlMs = this.#input.ttl(options, operation.key);
    return this.#writes.put(name, { operation, ttlMs, keepAlive: options?.keepAlive === true }, options);
  }

  #list<Entry>(
    operation: string,
    query: ListQuery,
    options: CallOptions,
    entriesOf: (page: ListPage) => readonly Entry[],
  ): Promise<Entry[]> {
    const subject = { operation, key: query.directory, write: false };
    return this.#sender.single(subject, options, (request) =>
      collect(query, (page) => this.#driver.list(page, request), entriesOf),
    );
  }
}

/** What a check throws, as a rejection: the calls of a store never throw. */
function checked<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}
