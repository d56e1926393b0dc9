import type { Upstream, WatchScope, WatchSink } from "./driver.js";

/** So many keys of one directory have an upstream each; the others share one of the directory. */
const aloneInDirectory = 4;
/** So many keys have an upstream each at most, whatever their directories. */
const aloneInAll = 32;

/** A question to the server that takes a connection for as long as somebody wants its answers. */
export interface SharedUpstream<Member> {
  /** How many sinks it tells. */
  readonly members: number;
  /** `key` narrows what the sink is told to one key. */
  join(sink: WatchSink, key: string | undefined): Member;
  /** The member wants the state afresh. */
  refresh(member: Member): void;
  /** The last to leave ends it. */
  leave(member: Member): void;
}

/**
 * The watches of a store whose server takes a connection for each: many watches on keys of one directory share one, which
 * sees every change in the directory and tells each what concerns its key.
 */
export class DirectoryWatches<Member> {
  readonly #open: (scope: WatchScope) => SharedUpstream<Member>;
  /** Upstreams of directories that watches of keys share. */
  readonly #shared = new Map<string, SharedUpstream<Member>>();
  /** How many keys of a directory have an upstream of their own. */
  readonly #alone = new Map<string, number>();
  #aloneInAll = 0;

  constructor(open: (scope: WatchScope) => SharedUpstream<Member>) {
    this.#open = open;
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    if (scope.type === "tree") return this.#join(this.#open(scope), sink, undefined, () => {});
    const directory = scope.path.slice(0, Math.max(scope.path.lastIndexOf("/"), 0));
    const alone = this.#alone.get(directory) ?? 0;
    if (alone >= aloneInDirectory || this.#aloneInAll >= aloneInAll) return this.#share(directory, scope.path, sink);
    this.#countAlone(directory, 1);
    return this.#join(this.#open(scope), sink, scope.path, () => this.#countAlone(directory, -1));
  }

  #share(directory: string, key: string, sink: WatchSink): Upstream {
    const upstream = this.#shared.get(directory) ?? this.#open({ type: "tree", path: directory });
    this.#shared.set(directory, upstream);
    return this.#join(upstream, sink, key, () => {
      if (upstream.members === 0 && this.#shared.get(directory) === upstream) this.#shared.delete(directory);
    });
  }

  #join(upstream: SharedUpstream<Member>, sink: WatchSink, key: string | undefined, onLeave: () => void): Upstream {
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
