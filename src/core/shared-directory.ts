import type { Upstream, WatchSink } from "./driver.js";
import { holds, type KeyPart, placeOf, splitKeys } from "./key-parts.js";
import type { PolledMember, PolledWatch } from "./polled-watch.js";

/** What a directory's watches need of those of their store. */
export interface SharedDirectoryHost {
  /** Opens an upstream of some of the directory's keys; it calls `split` when it would rather be several. */
  open(part: KeyPart, split: () => void): PolledWatch;
  /** How many upstreams more there may be now. */
  room(): number;
}

/** A part that is watched. */
interface WatchedPart extends KeyPart {
  readonly upstream: PolledWatch;
  readonly watches: Set<SharedKeyWatch>;
}

/** The watch of one key, and where it is served now. */
interface SharedKeyWatch {
  readonly key: string;
  readonly sink: WatchSink;
  part: WatchedPart;
  member: PolledMember;
}

/**
 * The watches of keys of one directory that share upstreams: one for all, until that one asks to be split. Then each serves
 * the keys that begin alike, and no key belongs to two. A watch that moves from one upstream to another begins there with
 * the state as it is then, so that it misses nothing in between.
 */
export class SharedDirectory {
  readonly #prefix: string;
  readonly #host: SharedDirectoryHost;
  readonly #parts = new Set<WatchedPart>();

  constructor(prefix: string, host: SharedDirectoryHost) {
    this.#prefix = prefix;
    this.#host = host;
  }

  /** How many upstreams it has. */
  get upstreams(): number {
    return this.#parts.size;
  }

  join(key: string, sink: WatchSink): Upstream {
    const part = this.#find(key) ?? this.#makePlace(key);
    const watch: SharedKeyWatch = { key, sink, part, member: part.upstream.join(sink, key) };
    part.watches.add(watch);
    return {
      refresh: () => watch.part.upstream.refresh(watch.member),
      close: () => this.#leave(watch),
    };
  }

  /** Goes back to one upstream for all. */
  gather(): void {
    const parts = [...this.#parts];
    const isWhole = parts.every(({ path }) => path === this.#prefix);
    if (!isWhole) this.#replace(parts, [{ type: "prefix", path: this.#prefix }]);
  }

  #find(key: string): WatchedPart | undefined {
    for (const part of this.#parts) if (holds(part, key)) return part;
    return undefined;
  }

  #makePlace(key: string): WatchedPart {
    const parts = [...this.#parts];
    if (parts.length === 0) return this.#open({ type: "prefix", path: this.#prefix });
    const { beside, within } = placeOf(key, parts);
    if (this.#host.room() > 0) return this.#open(beside);
    this.#replace(
      parts.filter(({ path }) => path.startsWith(within.path)),
      [within],
    );
    return this.#find(key)!;
  }

  #split(part: WatchedPart): void {
    const room = this.#host.room();
    if (room === 0 || !this.#parts.has(part)) return;
    const keys = [...part.watches].map(({ key }) => key);
    const smaller = splitKeys(keys, room + 1);
    const isSmaller = smaller.every(({ type, path }) => type !== part.type || path !== part.path);
    if (isSmaller) this.#replace([part], smaller);
  }

  #replace(parts: readonly WatchedPart[], by: readonly KeyPart[]): void {
    for (const part of parts) this.#parts.delete(part);
    for (const part of by) this.#open(part);
    for (const { upstream, watches } of parts) {
      for (const watch of watches) {
        upstream.leave(watch.member);
        watch.part = this.#find(watch.key)!;
        watch.part.watches.add(watch);
        watch.member = watch.part.upstream.join(watch.sink, watch.key);
      }
    }
  }

  #open(part: KeyPart): WatchedPart {
    const opened: WatchedPart = {
      ...part,
      upstream: this.#host.open(part, () => this.#split(opened)),
      watches: new Set(),
    };
    this.#parts.add(opened);
    return opened;
  }

  #leave(watch: SharedKeyWatch): void {
    const { part, member } = watch;
    part.watches.delete(watch);
    part.upstream.leave(member);
    if (part.upstream.members === 0) this.#parts.delete(part);
  }
}
