import type { Upstream, WatchScope, WatchSink } from "./driver.js";
import type { KeyPart } from "./key-parts.js";
import { directoryPrefix } from "./keys.js";
import { type PolledSource, PolledWatch, type PolledWatchHost } from "./polled-watch.js";
import { SharedDirectory } from "./shared-directory.js";

/** So many keys of one directory have an upstream each; the others share. */
const aloneInDirectory = 4;
/** So many keys have an upstream each at most, whatever their directories. */
const aloneInAll = 32;
/** How long no directory gets more upstreams after they had to be fewer, in milliseconds. */
const restraintMs = 60_000;

/** What a source of a part of a directory may ask for. */
export interface PartHost {
  /** Fewer keys for each question: its answers are large and many. */
  split(): void;
  /** Fewer questions: they have to wait for each other, or they fail. */
  gather(): void;
}

/** How a server is asked for a part of a directory, where it knows more than keys and whole directories. */
export interface PartSources {
  /** How many questions may be on their way at once when a directory gets more upstreams. */
  readonly most: number;
  /** How many are now: those of upstreams and any others. */
  underway(): number;
  sourceOf(part: KeyPart, host: PartHost): PolledSource;
}

/**
 * The watches of a store whose server takes a connection for each: many watches on keys of one directory share one, which
 * sees every change in the directory and tells each what concerns its key. With `parts` a directory where much happens has
 * several, each for some of its keys, as long as there is room.
 */
export class DirectoryWatches {
  readonly #host: PolledWatchHost;
  readonly #sourceOf: (scope: WatchScope) => PolledSource;
  readonly #parts: PartSources | undefined;
  /** Directories of which watches of keys share upstreams. */
  readonly #shared = new Map<string, SharedDirectory>();
  /** How many keys of a directory have an upstream of their own. */
  readonly #alone = new Map<string, number>();
  #aloneInAll = 0;
  #trees = 0;
  /** Until then, by the clock, no directory gets more upstreams. */
  #restrainedUntil = Number.NEGATIVE_INFINITY;

  constructor(host: PolledWatchHost, sourceOf: (scope: WatchScope) => PolledSource, parts?: PartSources) {
    this.#host = host;
    this.#sourceOf = sourceOf;
    this.#parts = parts;
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    if (scope.type === "tree") {
      this.#trees++;
      return this.#open(scope, sink, () => this.#trees--);
    }
    const directory = scope.path.slice(0, Math.max(scope.path.lastIndexOf("/"), 0));
    const alone = this.#alone.get(directory) ?? 0;
    if (alone >= aloneInDirectory || this.#aloneInAll >= aloneInAll) return this.#share(directory, scope.path, sink);
    this.#countAlone(directory, 1);
    return this.#open(scope, sink, () => this.#countAlone(directory, -1));
  }

  #open(scope: WatchScope, sink: WatchSink, onLeave: () => void): Upstream {
    const upstream = new PolledWatch(this.#sourceOf(scope), this.#host);
    const member = upstream.join(sink, scope.type === "key" ? scope.path : undefined);
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

  #share(directory: string, key: string, sink: WatchSink): Upstream {
    const shared = this.#shared.get(directory) ?? this.#createShared(directory);
    const upstream = shared.join(key, sink);
    return {
      refresh: () => upstream.refresh(),
      close: () => {
        upstream.close();
        if (shared.upstreams === 0 && this.#shared.get(directory) === shared) this.#shared.delete(directory);
      },
    };
  }

  #createShared(directory: string): SharedDirectory {
    const shared = new SharedDirectory(directoryPrefix(directory), {
      open: (part, split) => {
        const source =
          this.#parts?.sourceOf(part, { split, gather: () => this.#gather() }) ??
          this.#sourceOf({ type: "tree", path: directory });
        return new PolledWatch(source, this.#host);
      },
      room: () => this.#room(),
    });
    this.#shared.set(directory, shared);
    return shared;
  }

  /** How many upstreams more there may be. */
  #room(): number {
    if (this.#parts === undefined || this.#host.clock.now() < this.#restrainedUntil) return 0;
    let upstreams = this.#aloneInAll + this.#trees;
    for (const shared of this.#shared.values()) upstreams += shared.upstreams;
    // An upstream that rests has no question under way, but soon will.
    return Math.max(this.#parts.most - Math.max(upstreams, this.#parts.underway()), 0);
  }

  #gather(): void {
    this.#restrainedUntil = this.#host.clock.now() + restraintMs;
    for (const shared of this.#shared.values()) shared.gather();
  }

  #countAlone(directory: string, by: 1 | -1): void {
    const count = (this.#alone.get(directory) ?? 0) + by;
    if (count === 0) this.#alone.delete(directory);
    else this.#alone.set(directory, count);
    this.#aloneInAll += by;
  }
}
