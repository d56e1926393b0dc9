import type { Capabilities } from "./capabilities.js";
import { isStoreError, StoreError } from "./errors.js";
import { canonicalDirectory, canonicalKey, isBelow } from "./keys.js";
import { NamespacedLock } from "./namespace-lock.js";
import { NamespacedIterable } from "./namespace-watch.js";
import { KVPair } from "./pair.js";
import type {
  Atomic,
  CallOptions,
  Change,
  DeleteTreeOptions,
  ListOptions,
  Lock,
  LockHold,
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

/** A store under a prefix: keys get it on the way in and lose it on the way out, in errors too. */
export class NamespacedStore implements Store {
  readonly backend: string;
  readonly capabilities: Capabilities;
  readonly #store: Store;
  readonly #prefix: string;
  /** Ends the keepAlive keys of these full names. */
  readonly #endKeepAlive: (keys: Iterable<string>) => Promise<void>;
  /** What this namespace opened and its `close()` ends. */
  readonly #watches = new Set<NamespacedIterable<unknown, unknown>>();
  readonly #holds = new Set<LockHold>();
  readonly #kept = new Set<string>();
  readonly #unsubscribes = new Set<() => void>();
  #closed = false;

  constructor(store: Store, prefix: string, endKeepAlive: (keys: Iterable<string>) => Promise<void>) {
    this.backend = store.backend;
    this.capabilities = store.capabilities;
    this.#store = store;
    this.#prefix = prefix;
    this.#endKeepAlive = endKeepAlive;
  }

  get state(): StoreState {
    return this.#closed ? "closed" : this.#store.state;
  }

  async put(key: string, value: string | Uint8Array, options?: PutOptions): Promise<KVPair> {
    this.#trackKept(key, options);
    return this.#pair(await this.#run(() => this.#store.put(this.#full(key), value, options)));
  }

  async get(key: string, options?: ReadOptions): Promise<KVPair | undefined> {
    return this.#maybePair(await this.#run(() => this.#store.get(this.#full(key), options)));
  }

  exists(key: string, options?: ReadOptions): Promise<boolean> {
    return this.#run(() => this.#store.exists(this.#full(key), options));
  }

  delete(key: string, options?: CallOptions): Promise<boolean> {
    return this.#run(() => this.#store.delete(this.#full(key), options));
  }

  async list(directory: string, options?: ListOptions): Promise<KVPair[]> {
    const pairs = await this.#run(() => this.#store.list(this.#fullDirectory(directory), options));
    return pairs.map((pair) => this.#pair(pair));
  }

  async keys(directory: string, options?: ListOptions): Promise<string[]> {
    const keys = await this.#run(() => this.#store.keys(this.#fullDirectory(directory), options));
    return keys.map((key) => this.#strip(key));
  }

  scan(directory: string, options?: ScanOptions): AsyncIterable<KVPair> {
    const pairs = this.#now(() => this.#store.scan(this.#fullDirectory(directory), options));
    return this.#iterable(pairs, (pair) => this.#pair(pair));
  }

  deleteTree(directory: string, options: DeleteTreeOptions = {}): Promise<number> {
    return this.#run(() => {
      if (canonicalDirectory(directory) === "" && options.root !== true) return this.#store.deleteTree("");
      return this.#store.deleteTree(this.#fullDirectory(directory), options);
    });
  }

  async atomicPut(key: string, value: string | Uint8Array, previous: Previous, options?: PutOptions): Promise<KVPair> {
    this.#trackKept(key, options);
    const full = this.#fullPrevious(previous);
    return this.#pair(await this.#run(() => this.#store.atomicPut(this.#full(key), value, full, options)));
  }

  atomicDelete(key: string, previous: KVPair | { readonly revision: bigint }, options?: CallOptions): Promise<void> {
    const full = this.#fullPrevious(previous) as typeof previous;
    return this.#run(() => this.#store.atomicDelete(this.#full(key), full, options));
  }

  async update(key: string, fn: Updater, options?: PutOptions): Promise<KVPair | undefined> {
    this.#trackKept(key, options);
    const stripped: Updater = (current) => fn(this.#maybePair(current));
    return this.#maybePair(await this.#run(() => this.#store.update(this.#full(key), stripped, options)));
  }

  atomic(): Atomic {
    const inner = this.#store.atomic();
    const outer: Atomic = {
      check: (key, previous) => {
        this.#now(() => inner.check(this.#full(key), this.#fullPrevious(previous)));
        return outer;
      },
      put: (key, value, options) => {
        this.#trackKept(key, options);
        this.#now(() => inner.put(this.#full(key), value, options));
        return outer;
      },
      delete: (key) => {
        this.#now(() => inner.delete(this.#full(key)));
        return outer;
      },
      commit: async (options) => (await this.#run(() => inner.commit(options))).map((pair) => this.#pair(pair)),
    };
    return outer;
  }

  watch(key: string, options?: WatchOptions): AsyncIterable<KVPair | undefined> {
    const states = this.#now(() => this.#store.watch(this.#full(key), options));
    return this.#iterable(states, (pair) => this.#maybePair(pair));
  }

  watchTree(directory: string, options?: WatchOptions): AsyncIterable<TreeChange> {
    const items = this.#now(() => this.#store.watchTree(this.#fullDirectory(directory), options));
    return this.#iterable(items, (item) => this.#treeChange(item));
  }

  newLock(key: string, options?: LockOptions): Lock {
    const lock = this.#now(() => this.#store.newLock(this.#full(key), options));
    return new NamespacedLock(lock, {
      key: canonicalKey(key),
      holds: this.#holds,
      run: (call) => this.#run(call),
    });
  }

  namespace(prefix: string): Store {
    return new NamespacedStore(this.#store, this.#full(prefix), this.#endKeepAlive);
  }

  ping(options?: CallOptions): Promise<void> {
    return this.#run(() => this.#store.ping(options));
  }

  onStateChange(listener: (change: StateChange) => void): () => void {
    const own = (keys: readonly string[]): string[] =>
      keys.filter((key) => isBelow(key, this.#prefix)).map((key) => this.#strip(key));
    const unsubscribe = this.#store.onStateChange((change) => {
      const lostKeys = own(change.lostKeys);
      const restoredKeys = own(change.restoredKeys);
      if (change.state === change.previous && lostKeys.length === 0 && restoredKeys.length === 0) return;
      listener({ ...change, lostKeys, restoredKeys });
    });
    this.#unsubscribes.add(unsubscribe);
    return () => {
      this.#unsubscribes.delete(unsubscribe);
      unsubscribe();
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const watch of this.#watches) watch.end();
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    await Promise.all([
      ...[...this.#holds].map((hold) => hold[Symbol.asyncDispose]()),
      this.#endKeepAlive([...this.#kept]),
    ]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #full(key: string): string {
    return `${this.#prefix}/${canonicalKey(key)}`;
  }

  #fullDirectory(directory: string): string {
    const canonical = canonicalDirectory(directory);
    return canonical === "" ? this.#prefix : `${this.#prefix}/${canonical}`;
  }

  #fullPrevious(previous: Previous): Previous {
    if (!(previous instanceof KVPair)) return previous;
    return new KVPair(this.#full(previous.key), previous.value, previous.revision, previous.ttlMs);
  }

  #strip(key: string): string {
    return key.slice(this.#prefix.length + 1);
  }

  #pair(pair: KVPair): KVPair {
    return new KVPair(this.#strip(pair.key), pair.value, pair.revision, pair.ttlMs);
  }

  #maybePair(pair: KVPair | undefined): KVPair | undefined {
    return pair === undefined ? undefined : this.#pair(pair);
  }

  #treeChange(item: TreeChange): TreeChange {
    const strip = (pair: KVPair): KVPair => this.#pair(pair);
    const changes = item.changes.map((change): Change => {
      const key = this.#strip(change.key);
      const previous = this.#maybePair(change.previous);
      return change.type === "put"
        ? { type: "put", key, pair: strip(change.pair), previous }
        : { type: "delete", key, previous };
    });
    let pairs: readonly KVPair[] | undefined;
    return {
      changes,
      get pairs() {
        pairs ??= item.pairs.map(strip);
        return pairs;
      },
    };
  }

  #trackKept(key: string, options: { keepAlive?: boolean | undefined } | undefined): void {
    if (options?.keepAlive === true) this.#kept.add(this.#full(key));
  }

  #iterable<Inner, Outer>(inner: AsyncIterable<Inner>, map: (item: Inner) => Outer): AsyncIterable<Outer> {
    const open = (): AsyncIterator<Inner> => this.#now(() => inner[Symbol.asyncIterator]());
    const rename = (error: unknown): unknown => this.#rename(error);
    return {
      [Symbol.asyncIterator]: () => {
        const own: NamespacedIterable<Inner, Outer> = new NamespacedIterable(open, map, rename, () => {
          this.#watches.delete(own as NamespacedIterable<unknown, unknown>);
        });
        if (!this.#closed) this.#watches.add(own as NamespacedIterable<unknown, unknown>);
        return own;
      },
    };
  }

  async #run<T>(call: () => Promise<T>): Promise<T> {
    try {
      this.#checkOpen();
      return await call();
    } catch (error) {
      throw this.#rename(error);
    }
  }

  #now<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.#rename(error);
    }
  }

  #checkOpen(): void {
    if (this.#closed) throw new StoreError("CLOSED", "the namespace is closed", { backend: this.backend });
  }

  /** Errors name keys as this namespace's callers know them. */
  #rename(error: unknown): unknown {
    if (!isStoreError(error) || error.key === undefined || !isBelow(error.key, this.#prefix)) return error;
    const { backend, endpoint, outcome, cause } = error;
    return new StoreError(error.code, error.reason, { backend, endpoint, key: this.#strip(error.key), outcome, cause });
  }
}
