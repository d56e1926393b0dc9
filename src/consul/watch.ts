import type { Upstream, WatchScope, WatchSink } from "../core/driver.js";
import { type ConsulWatchHost, WatchQuery } from "./watch-query.js";

/** So many keys of one directory have a query each; the others share one query of the directory. */
const aloneInDirectory = 4;
/** So many keys have a query each at most, whatever their directories. */
const aloneInAll = 32;

/**
 * The watches of a store. A query takes a connection, so that many watches on keys of one directory share one: it reads
 * the directory whenever something in it changes, and tells each what concerns its key.
 */
export class ConsulWatches {
  readonly #parts: ConsulWatchHost;
  /** Queries of directories that watches of keys share. */
  readonly #shared = new Map<string, WatchQuery>();
  /** How many keys of a directory have a query of their own. */
  readonly #alone = new Map<string, number>();
  #aloneInAll = 0;

  constructor(parts: ConsulWatchHost) {
    this.#parts = parts;
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    if (scope.type === "tree") return this.#join(new WatchQuery(this.#parts, scope), sink, undefined, () => {});
    const directory = scope.path.slice(0, Math.max(scope.path.lastIndexOf("/"), 0));
    const alone = this.#alone.get(directory) ?? 0;
    if (alone >= aloneInDirectory || this.#aloneInAll >= aloneInAll) return this.#share(directory, scope.path, sink);
    this.#countAlone(directory, 1);
    return this.#join(new WatchQuery(this.#parts, scope), sink, scope.path, () => this.#countAlone(directory, -1));
  }

  #share(directory: string, key: string, sink: WatchSink): Upstream {
    const query = this.#shared.get(directory) ?? new WatchQuery(this.#parts, { type: "tree", path: directory });
    this.#shared.set(directory, query);
    return this.#join(query, sink, key, () => {
      if (query.members === 0 && this.#shared.get(directory) === query) this.#shared.delete(directory);
    });
  }

  #join(query: WatchQuery, sink: WatchSink, key: string | undefined, onLeave: () => void): Upstream {
    const member = query.join(sink, key);
    let left = false;
    return {
      refresh: () => query.refresh(member),
      close: () => {
        if (left) return;
        left = true;
        query.leave(member);
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
