import type { WatcherEvent, WatchPaths } from "./records.js";
import type { EventType } from "./records.js";
import { NoNodeError } from "./error-codes.js";
import { callSafely } from "./listeners.js";
import type { Chroot } from "./paths.js";

/** What a watch tells. */
export interface WatchEvent {
  /**
   * What happened; `rearmed` tells a persistent watch that it was set again after a reconnect: changes made meanwhile
   * were not reported, so read again what matters.
   */
  readonly type: EventType | "rearmed";
  /** The node, without the chroot; for `rearmed` the watched path. */
  readonly path: string;
  /** The transaction, from servers of 3.9 or later; undefined from older ones. */
  readonly zxid: bigint | undefined;
}

/** Called with what a watch saw. What it throws becomes a warning of the process. */
export type Watcher = (event: WatchEvent) => void;

/** The three kinds of watch that fire once: on data, on a node not there yet, and on a list of children. */
export type OneShotKind = "data" | "exists" | "children";

/** The one server watch on a path for all its persistent watchers. */
export interface PersistentWatch {
  readonly recursive: boolean;
  readonly watchers: Set<Watcher>;
  /** Settles when the server has it. */
  readonly armed: Promise<void>;
}

/** Which one-shot watches an event uses up (`ZKWatchManager`, ZooKeeper 3.8). */
const usedUpBy: Partial<Record<EventType, readonly OneShotKind[]>> = {
  nodeCreated: ["data", "exists"],
  nodeDataChanged: ["data", "exists"],
  nodeDeleted: ["data", "exists", "children"],
  nodeChildrenChanged: ["children"],
};

/** About how many bytes of paths go into one setWatches: servers refuse frames over `jute.maxbuffer`. */
const chunkBytes = 128 * 1024;

/** Who watches what. Paths inside are the server's, with the chroot; events go out without it. */
export class WatchRegistry {
  readonly #chroot: Chroot;
  readonly #oneShot: Record<OneShotKind, Map<string, Set<Watcher>>> = {
    data: new Map(),
    exists: new Map(),
    children: new Map(),
  };
  /** How many reads are on their way that will leave a one-shot watch. */
  readonly #arming = new Map<string, number>();
  readonly #persistent = new Map<string, PersistentWatch>();
  #recursiveCount = 0;

  constructor(chroot: Chroot) {
    this.#chroot = chroot;
  }

  /** A read is sent that may leave a one-shot watch on the path; `armed` when it is answered or given up. */
  arming(path: string): void {
    this.#arming.set(path, (this.#arming.get(path) ?? 0) + 1);
  }

  armed(path: string): void {
    const left = (this.#arming.get(path) ?? 0) - 1;
    if (left > 0) this.#arming.set(path, left);
    else this.#arming.delete(path);
  }

  /** Whether the server may have a one-shot watch that is not known here yet. */
  isArming(path: string): boolean {
    return this.#arming.has(path);
  }

  /** A read with a watch was answered: where there is no node, only `exists` leaves one. */
  answered(kind: OneShotKind, path: string, code: number, watcher: Watcher): void {
    if (code === 0) this.addOneShot(kind === "exists" ? "data" : kind, path, watcher);
    else if (kind === "exists" && code === NoNodeError.code) this.addOneShot("exists", path, watcher);
  }

  addOneShot(kind: OneShotKind, path: string, watcher: Watcher): void {
    const watchers = this.#oneShot[kind].get(path);
    if (watchers === undefined) this.#oneShot[kind].set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** Takes one-shot watchers away, all of the kind or one; says whether that left none where there had been some. */
  removeOneShot(kind: OneShotKind, path: string, watcher?: Watcher): boolean {
    const watchers = this.#oneShot[kind].get(path);
    if (watchers === undefined) return false;
    if (watcher !== undefined) watchers.delete(watcher);
    if (watcher !== undefined && watchers.size > 0) return false;
    return this.#oneShot[kind].delete(path);
  }

  hasOneShot(path: string): boolean {
    return this.#oneShot.data.has(path) || this.#oneShot.exists.has(path) || this.#oneShot.children.has(path);
  }

  persistent(path: string): PersistentWatch | undefined {
    return this.#persistent.get(path);
  }

  addPersistent(path: string, watch: PersistentWatch): void {
    this.#persistent.set(path, watch);
    if (watch.recursive) this.#recursiveCount++;
  }

  /** Forgets the watch if it still is the one on its path. */
  removePersistent(path: string, watch: PersistentWatch): boolean {
    if (this.#persistent.get(path) !== watch) return false;
    if (watch.recursive) this.#recursiveCount--;
    return this.#persistent.delete(path);
  }

  /** Tells everybody whom a notification concerns, each watcher once. */
  dispatch(event: WatcherEvent, zxid: bigint): void {
    const { type } = event;
    const path = this.#chroot.strip(event.path);
    if (type === undefined || path === undefined) return;
    const told = new Set<Watcher>();
    for (const kind of usedUpBy[type] ?? []) {
      for (const watcher of this.#oneShot[kind].get(event.path) ?? []) told.add(watcher);
      this.#oneShot[kind].delete(event.path);
    }
    this.#collectPersistent(event.path, type, told);
    const seen: WatchEvent = { type, path, zxid: zxid > 0n ? zxid : undefined };
    for (const watcher of told) callSafely(watcher, seen);
  }

  /** What to set again on a new connection, in pieces that fit a request. */
  *pathsToSet(): Generator<WatchPaths> {
    let paths = noPaths();
    let bytes = 0;
    for (const [kind, path] of this.#allPaths()) {
      paths[kind].push(path);
      bytes += 4 + Buffer.byteLength(path);
      if (bytes < chunkBytes) continue;
      yield paths;
      paths = noPaths();
      bytes = 0;
    }
    if (bytes > 0) yield paths;
  }

  /** The one-shot watches on one path. */
  oneShotPaths(path: string): WatchPaths {
    const paths = noPaths();
    for (const kind of ["data", "exists", "children"] as const) {
      if (this.#oneShot[kind].has(path)) paths[kind].push(path);
    }
    return paths;
  }

  /** Tells the persistent watchers among these that their watches are set again, or gone where the server has none. */
  tellRearmed(paths: WatchPaths, persistentAreSet: boolean): void {
    for (const path of [...paths.persistent, ...paths.recursive]) {
      const watch = this.#persistent.get(path);
      if (watch === undefined) continue;
      if (!persistentAreSet) this.removePersistent(path, watch);
      const type = persistentAreSet ? "rearmed" : "persistentWatchRemoved";
      const event: WatchEvent = { type, path: this.#chroot.strip(path) ?? path, zxid: undefined };
      for (const watcher of Array.from(watch.watchers)) callSafely(watcher, event);
    }
  }

  clear(): void {
    for (const watches of Object.values(this.#oneShot)) watches.clear();
    this.#persistent.clear();
    this.#recursiveCount = 0;
  }

  *#allPaths(): Generator<[keyof WatchPaths, string]> {
    for (const kind of ["data", "exists", "children"] as const) {
      for (const path of this.#oneShot[kind].keys()) yield [kind, path];
    }
    for (const [path, watch] of this.#persistent) yield [watch.recursive ? "recursive" : "persistent", path];
  }

  #collectPersistent(path: string, type: EventType, told: Set<Watcher>): void {
    const here = this.#persistent.get(path);
    // Recursive watches are not told of changes in lists of children: they see the children themselves.
    if (here !== undefined && !(here.recursive && type === "nodeChildrenChanged")) {
      for (const watcher of here.watchers) told.add(watcher);
    }
    if (this.#recursiveCount === 0 || type === "nodeChildrenChanged") return;
    for (let ancestor = parentOf(path); ancestor !== undefined; ancestor = parentOf(ancestor)) {
      const above = this.#persistent.get(ancestor);
      if (above?.recursive !== true) continue;
      for (const watcher of above.watchers) told.add(watcher);
    }
  }
}

function noPaths(): WatchPaths {
  return { data: [], exists: [], children: [], persistent: [], recursive: [] };
}

function parentOf(path: string): string | undefined {
  if (path === "/") return undefined;
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
