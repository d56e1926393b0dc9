import { watchChannel } from "./diagnostics.js";
import type { Driver, WatchScope } from "./driver.js";
import type { KVPair } from "./pair.js";
import { type Follower, SharedWatch } from "./shared-watch.js";
import type { Signals } from "./signals.js";
import type { TreeChange, WatchOptions } from "./store.js";
import { WatchIterator, type WatchSource } from "./watch-iterator.js";
import { KeySource, TreeSource, type WatchRegistry } from "./watch-sources.js";

/** All watches of a store. Those of the same key or directory share one watch of the driver. */
export class WatchHub {
  readonly #driver: Driver;
  readonly #signals: Signals;
  /** Throws when no watch may start any more. */
  readonly #check: () => void;
  readonly #shared = new Map<string, SharedWatch>();
  readonly #iterators = new Set<{ end(): void }>();

  constructor(driver: Driver, signals: Signals, check: () => void) {
    this.#driver = driver;
    this.#signals = signals;
    this.#check = check;
  }

  watchKey(key: string, options: WatchOptions | undefined): AsyncIterable<KVPair | undefined> {
    return this.#iterable(
      { type: "key", path: key },
      options,
      (iterator, registry) => new KeySource(iterator, registry),
    );
  }

  watchTree(directory: string, options: WatchOptions | undefined): AsyncIterable<TreeChange> {
    const scope: WatchScope = { type: "tree", path: directory };
    return this.#iterable(scope, options, (iterator, registry) => new TreeSource(iterator, registry));
  }

  /** Ends the loops of all watchers. */
  close(): void {
    for (const iterator of this.#iterators) iterator.end();
  }

  #iterable<Item>(
    scope: WatchScope,
    options: WatchOptions | undefined,
    createSource: (iterator: WatchIterator<Item>, registry: WatchRegistry) => WatchSource<Item>,
  ): AsyncIterable<Item> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator: WatchIterator<Item> = new WatchIterator(
          (own) => {
            const registry = this.#registry(scope, () => iterator);
            return createSource(own, registry);
          },
          options?.signal,
          this.#signals,
        );
        return iterator;
      },
    };
  }

  #registry(scope: WatchScope, iterator: () => { end(): void }): WatchRegistry {
    const name = `${scope.type}:${scope.path}`;
    return {
      join: (follower: Follower) => {
        this.#check();
        this.#iterators.add(iterator());
        const shared = this.#shared.get(name) ?? this.#create(name, scope);
        shared.follow(follower);
        return shared;
      },
      leave: (follower, shared) => {
        this.#iterators.delete(iterator());
        if (shared?.leave(follower) === true && this.#shared.get(name) === shared) this.#shared.delete(name);
      },
    };
  }

  #create(name: string, scope: WatchScope): SharedWatch {
    const shared: SharedWatch = new SharedWatch(this.#driver, scope, (event, watchers) => {
      if (event === "failed" && this.#shared.get(name) === shared) this.#shared.delete(name);
      if (!watchChannel.hasSubscribers) return;
      const { backend, endpoint } = this.#driver;
      watchChannel.publish({ event, backend, endpoint, key: scope.path, watchers });
    });
    this.#shared.set(name, shared);
    return shared;
  }
}
