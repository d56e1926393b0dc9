import type { Upstream, WatchScope, WatchSink } from "./driver.js";
import { type PolledSource, PolledWatch, type PolledWatchHost } from "./polled-watch.js";

/** So many keys of one directory have an upstream each; the others share one of the directory. */
const aloneInDirectory = 4;
/** So many keys have an upstream each at most, whatever their directories. */
const aloneInAll = 32;

/**
 * The watches of a store whose server takes a connection for each: many watches on keys of one directory share one, which
 * sees every change in the directory and tells each what concerns its key.
 */
export class DirectoryWatches {
  readonly #host: PolledWatchHost;
  readonly #sourceOf: (scope: WatchScope) => PolledSource;
  /** Upstreams of directories that watches of keys share. */
  readonly #shared = new Map<string, PolledWatch>();
  /** How many keys of a directory have an upstream of their own. */
  readonly #alone = new Map<string, number>();
  #aloneInAll = 0;

  constructor(host: PolledWatchHost, sourceOf: (scope: WatchScope) => PolledSource) {
    this.#host = host;
    this.#sourceOf = sourceOf;
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    if (scope.type === "tree") return this.#join(this.#open(scope), sink, undefined, () => {});
    const directory = scope.path.slice(0, Math.max(scope.path.lastIndexOf("/"), 0));
    const alone = this.#alone.get(directory) ?? 0;
    if (alone >= aloneInDirectory || this.#aloneInAll >= aloneInAll) return this.#share(directory, scope.path, sink);
    this.#countAlone(directory, 1);
    return this.#join(this.#open(scope), sink, scope.path, () => this.#countAlone(directory, -1));
  }

  #open(scope: WatchScope): PolledWatch {
    return new PolledWatch(this.#sourceOf(scope), this.#host);
  }

  #share(directory: string, key: string, sink: WatchSink): Upstream {
    const upstream = this.#shared.get(directory) ?? this.#open({ type: "tree", path: directory });
    this.#shared.set(directory, upstream);
    return this.#join(upstream, sink, key, () => {
      if (upstream.members === 0 && this.#shared.get(directory) === upstream) this.#shared.delete(directory);
    });
  }

  #join(upstream: PolledWatch, sink: WatchSink, key: string | undefined, onLeave: () => void): Upstream {
    const member = upstream.join(sink, key);
    let left = false;
    return {
      refresh: () => upstream.refresh(member),
      close: () => {
        if (left) return;
        left = true;
        upstream.leave(member);
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
