import type { Capabilities } from "./capabilities.js";
import { isStoreError, StoreError } from "./errors.js";
import { canonicalDirectory, canonicalKey, isBelow } from "./keys.js";
import { NamespacedLock } from "./namespace-lock.js";
import { NamespaceLife } from "./namespace-life.js";
import { NamespacedIterator } from "./namespace-watch.js";
import { KVPair } from "./pair.js";
import type {
  Atomic,
  CallOptions,
  Change,
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

/** A store under a prefix: keys get it on the way in and lose it on the way out, in errors too. */
export class NamespacedStore implements Store {
  readonly backend: string;
  readonly capabilities: Capabilities;
  readonly #store: Store;
  readonly #prefix: string;
  /** Ends the keepAlive keys of these full names. */
  readonly #endKeepAlive: (keys: Iterable<string>) => Promise<void>;
  /** What this namespace opened and its `close()` ends. */
  readonly #life: NamespaceLife;

  constructor(store: Store, prefix: string, endKeepAlive: (keys: Iterable<string>) => Promise<void>) {
    this.backend = store.backend;
    this.capabilities = store.capabilities;
    this.#store = store;
    this.#prefix = prefix;
    this.#endKeepAlive = endKeepAlive;
    this.#life = new NamespaceLife(store, (error) => this.#rename(error));
  }

  get state(): StoreState {
    return this.#life.closed ? "closed" : this.#store.state;
  }

  async put(key: string, value: string | Uint8Array, options?: PutOptions): Promise<KVPair> {
    return this.#pair(await this.#write(key, options, (full) => this.#store.put(full, value, options)));
  }

  async get(key: string, options?: ReadOptions): Promise<KVPair | undefined> {
    return this.#maybePair(await this.#life.run(false, () => this.#store.get(this.#full(key), options)));
  }

  exists(key: string, options?: ReadOptions): Promise<boolean> {
    return this.#life.run(false, () => this.#store.exists(this.#full(key), options));
  }

  delete(key: string, options?: CallOptions): Promise<boolean> {
    return this.#life.run(true, () => this.#store.delete(this.#full(key), options));
  }

  async list(directory: string, options?: ListOptions): Promise<KVPair[]> {
    const pairs = await this.#life.run(false, () => this.#store.list(this.#fullDirectory(directory), options));
    return pairs.map((pair) => this.#pair(pair));
  }

  async keys(directory: string, options?: ListOptions): Promise<string[]> {
    const keys = await this.#life.run(false, () => this.#store.keys(this.#fullDirectory(directory), options));
    return keys.map((key) => this.#strip(key));
  }

  scan(directory: string, options?: ScanOptions): AsyncIterable<KVPair> {
    const pairs = this.#life.now(false, () => this.#store.scan(this.#fullDirectory(directory), options));
    return this.#iterable(pairs, (pair) => this.#pair(pair), "CLOSED");
  }

  deleteTree(directory: string, options: DeleteTreeOptions = {}): Promise<number> {
    return this.#life.run(true, () => {
      // The namespace's root is below the store's: only here is it the root that has to be said twice.
      const isRoot = canonicalDirectory(directory) === "" && options.root !== true;
      return this.#store.deleteTree(isRoot ? "" : this.#fullDirectory(directory), options);
    });
  }

  async atomicPut(key: string, value: string | Uint8Array, previous: Previous, options?: PutOptions): Promise<KVPair> {
    return this.#pair(
      await this.#write(key, options, (full) =>
        this.#store.atomicPut(full, value, this.#fullPrevious(previous), options),
      ),
    );
  }

  atomicDelete(key: string, previous: KVPair | { readonly revision: bigint }, options?: CallOptions): Promise<void> {
    return this.#life.run(true, () => {
      const full = this.#fullPrevious(previous) as typeof previous;
      return this.#store.atomicDelete(this.#full(key), full, options);
    });
  }

  async update(key: string, fn: Updater, options?: PutOptions): Promise<KVPair | undefined> {
    const stripped: Updater = (current) => fn(this.#maybePair(current));
    const updater = typeof fn === "function" ? stripped : fn;
    return this.#maybePair(await this.#write(key, options, (full) => this.#store.update(full, updater, options)));
  }

  atomic(): Atomic {
    const inner = this.#store.atomic();
    const outer: Atomic = {
      check: (key, previous) => {
        this.#life.now(true, () => inner.check(this.#full(key), this.#fullPrevious(previous)));
        return outer;
      },
      put: (key, value, options) => {
        this.#life.now(true, () => inner.put(this.#full(key), value, options));
        if (options?.keepAlive === true) this.#life.kept.add(this.#full(key));
        return outer;
      },
      delete: (key) => {
        this.#life.now(true, () => inner.delete(this.#full(key)));
        return outer;
      },
      commit: async (options) => {
        const pairs = await this.#life.run(true, () => inner.commit(options));
        return pairs.map((pair) => this.#pair(pair));
      },
    };
    return outer;
  }

  watch(key: string, options?: WatchOptions): AsyncIterable<KVPair | undefined> {
    const states = this.#life.now(false, () => this.#store.watch(this.#full(key), options));
    return this.#iterable(states, (pair) => this.#maybePair(pair), "end");
  }

  watchTree(directory: string, options?: WatchOptions): AsyncIterable<TreeChange> {
    const items = this.#life.now(false, () => this.#store.watchTree(this.#fullDirectory(directory), options));
    return this.#iterable(items, (item) => this.#treeChange(item), "end");
  }

  newLock(key: string, options?: LockOptions): Lock {
    const lock = this.#life.now(true, () => this.#store.newLock(this.#full(key), options));
    return new NamespacedLock(lock, canonicalKey(key), this.#life);
  }

  namespace(prefix: string): Store {
    const inner = new NamespacedStore(
      this.#store,
      this.#life.now(false, () => this.#full(prefix)),
      this.#endKeepAlive,
    );
    inner.#life.onClose(this.#life.addNamespace(inner));
    return inner;
  }

  ping(options?: CallOptions): Promise<void> {
    return this.#life.run(false, () => this.#store.ping(options));
  }

  onStateChange(listener: (change: StateChange) => void): () => void {
    const own = (keys: readonly string[]): string[] =>
      keys.filter((key) => isBelow(key, this.#prefix)).map((key) => this.#strip(key));
    return this.#life.onStateChange((change) => {
      const lostKeys = own(change.lostKeys);
      const restoredKeys = own(change.restoredKeys);
      if (change.state === change.previous && lostKeys.length === 0 && restoredKeys.length === 0) return;
      listener({ ...change, lostKeys, restoredKeys });
    });
  }

  async close(): Promise<void> {
    await this.#life.close();
    await this.#endKeepAlive([...this.#life.kept]);
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

  /** A put: if its key is kept alive, that ends with the namespace. */
  #write<T>(key: string, options: PutOptions | undefined, write: (full: string) => Promise<T>): Promise<T> {
    return this.#life.run(true, async () => {
      const full = this.#full(key);
      const result = await write(full);
      if (options?.keepAlive === true) this.#life.kept.add(full);
      return result;
    });
  }

  #iterable<Inner, Outer>(
    inner: AsyncIterable<Inner>,
    map: (item: Inner) => Outer,
    onClose: "end" | "CLOSED",
  ): AsyncIterable<Outer> {
    return {
      [Symbol.asyncIterator]: () =>
        new NamespacedIterator({
          life: this.#life,
          open: () => inner[Symbol.asyncIterator](),
          map,
          onClose,
        }),
    };
  }

  /** Errors name keys as this namespace's callers know them. */
  #rename(error: unknown): unknown {
    if (!isStoreError(error)) return error;
    const { backend = this.backend, endpoint, outcome, cause } = error;
    const key = error.key !== undefined && isBelow(error.key, this.#prefix) ? this.#strip(error.key) : error.key;
    return new StoreError(error.code, error.reason, { backend, endpoint, key, outcome, cause });
  }
}
