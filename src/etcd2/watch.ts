import type { Upstream, WatchScope, WatchSink } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import type { Cluster } from "./cluster.js";
import { WatchFeed } from "./watch-feed.js";

/** So many keys of one directory have a feed each; the others share one feed of the directory. */
const aloneInDirectory = 4;
/** So many keys have a feed each at most, whatever their directories. */
const aloneInAll = 32;

/**
 * The watches of a store. A feed takes a connection, so that many watches on keys of one directory share one, which sees
 * every event in the directory and tells each what concerns its key.
 */
export class Etcd2Watches {
  readonly #cluster: Cluster;
  readonly #suspended: (reason: StoreError) => void;
  /** Feeds of directories that watches of keys share. */
  readonly #shared = new Map<string, WatchFeed>();
  /** How many keys of a directory have a feed of their own. */
  readonly #alone = new Map<string, number>();
  #aloneInAll = 0;

  constructor(cluster: Cluster, suspended: (reason: StoreError) => void) {
    this.#cluster = cluster;
    this.#suspended = suspended;
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    if (scope.type === "tree") return this.#join(this.#feed(scope), sink, undefined, () => {});
    const directory = scope.path.slice(0, Math.max(scope.path.lastIndexOf("/"), 0));
    const alone = this.#alone.get(directory) ?? 0;
    if (alone >= aloneInDirectory || this.#aloneInAll >= aloneInAll) return this.#share(directory, scope.path, sink);
    this.#countAlone(directory, 1);
    return this.#join(this.#feed(scope), sink, scope.path, () => this.#countAlone(directory, -1));
  }

  #feed(scope: WatchScope): WatchFeed {
    return new WatchFeed(this.#cluster, scope, this.#suspended);
  }

  #share(directory: string, key: string, sink: WatchSink): Upstream {
    const feed = this.#shared.get(directory) ?? this.#feed({ type: "tree", path: directory });
    this.#shared.set(directory, feed);
    return this.#join(feed, sink, key, () => {
      if (feed.members === 0 && this.#shared.get(directory) === feed) this.#shared.delete(directory);
    });
  }

  #join(feed: WatchFeed, sink: WatchSink, key: string | undefined, onLeave: () => void): Upstream {
    const member = feed.join(sink, key);
    let left = false;
    return {
      refresh: () => feed.refresh(member),
      close: () => {
        if (left) return;
        left = true;
        feed.leave(member);
        onLeave();
      },
    };
  }

  #countAlone(directory: string, by: 1 | -1): void {
    const count = (this.#alone.get(directory) ?? 0) + by;
    if (count === 0) this.#alone.delete(directory);
    else this.#alone.set(directory, count);
    this.#aloneInAll += by;
  }
}
