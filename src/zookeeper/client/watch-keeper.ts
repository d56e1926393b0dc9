import { BadArgumentsError, NoWatcherError, UnimplementedError } from "./error-codes.js";
import type { Operation } from "./operations.js";
import type { Chroot } from "./paths.js";
import type { WatchPaths } from "./records.js";
import type { RequestOptions } from "./request.js";
import { addWatchOperation, removeWatchesOperation } from "./session-operations.js";
import type { PersistentWatch, Watcher, WatchRegistry } from "./watches.js";

/** A persistent watch of one watcher. */
export interface PersistentWatchHandle {
  /** Ends it; the server's watch is removed with the last watcher of its path. Does nothing the second time. */
  remove(options?: RequestOptions): Promise<void>;
}

/** What the keeper needs of its client. */
export interface WatchTransport {
  isConnected(): boolean;
  /** Sets watches that were on this connection before. */
  setAgain(paths: WatchPaths): Promise<void>;
  submit<Args, Result>(
    operation: Operation<Args, Result>,
    args: Args,
    path: string | undefined,
    options: RequestOptions | undefined,
  ): Promise<Result>;
}

/** Puts watches on the server with their first watcher and takes them off with the last. */
export class WatchKeeper {
  readonly #registry: WatchRegistry;
  readonly #chroot: Chroot;
  readonly #transport: WatchTransport;

  constructor(registry: WatchRegistry, chroot: Chroot, transport: WatchTransport) {
    this.#registry = registry;
    this.#chroot = chroot;
    this.#transport = transport;
  }

  async add(
    path: string,
    watcher: Watcher,
    options: (RequestOptions & { readonly recursive?: boolean | undefined }) | undefined,
  ): Promise<PersistentWatchHandle> {
    const recursive = options?.recursive ?? false;
    const full = this.#chroot.add(path);
    // A function of its own, so that the same watcher added twice counts twice.
    const own: Watcher = (event) => watcher(event);
    for (;;) {
      const present = this.#registry.persistent(full);
      if (present !== undefined && present.recursive !== recursive) {
        const message = `the node has a ${present.recursive ? "recursive" : "plain"} persistent watch already`;
        throw new BadArgumentsError(message, { operation: "addWatch", path });
      }
      const watch = present ?? this.#arm(full, recursive, path, options);
      watch.watchers.add(own);
      try {
        await watch.armed;
        return { remove: (settings) => this.#remove(full, path, watch, own, settings) };
      } catch (error) {
        this.#registry.removePersistent(full, watch);
        // The attempt of another caller, with that one's deadline and signal, says nothing about ours.
        if (present === undefined) throw error;
      }
    }
  }

  /** Takes one-shot watchers away; `exists` leaves its watches among those on data. */
  async removeOneShot(
    path: string,
    kind: "data" | "children",
    watcher: Watcher | undefined,
    options: RequestOptions | undefined,
  ): Promise<void> {
    const full = this.#chroot.add(path);
    const registry = this.#registry;
    const emptied = registry.removeOneShot(kind, full, watcher);
    const existsEmptied = kind === "data" && registry.removeOneShot("exists", full, watcher);
    if (!emptied && !existsEmptied) return;
    const left = registry.oneShotPaths(full);
    if (kind === "data" && left.data.length + left.exists.length > 0) return;
    // Before 3.9 this would take a part of a persistent watch along; a watch that fires for nobody does no harm.
    if (registry.persistent(full) !== undefined) return;
    // The server has one watch for all of a connection: it would take along that of a read on its way.
    if (registry.isArming(full)) return;
    await this.#removeFromServer(full, path, kind, options);
  }

  #arm(full: string, recursive: boolean, path: string, options: RequestOptions | undefined): PersistentWatch {
    const armed = this.#transport.submit(addWatchOperation, { path: full, recursive }, path, options);
    const watch: PersistentWatch = { recursive, watchers: new Set(), armed };
    this.#registry.addPersistent(full, watch);
    return watch;
  }

  async #remove(
    full: string,
    path: string,
    watch: PersistentWatch,
    watcher: Watcher,
    options: RequestOptions | undefined,
  ): Promise<void> {
    watch.watchers.delete(watcher);
    if (watch.watchers.size > 0 || !this.#registry.removePersistent(full, watch)) return;
    await this.#removeFromServer(full, path, "any", options);
    await this.#setOneShotAgain(full);
  }

  /** Servers remove all watches of a connection on a path together: those that should stay are set again. */
  async #setOneShotAgain(full: string): Promise<void> {
    if (!this.#registry.hasOneShot(full) || !this.#transport.isConnected()) return;
    await this.#transport.setAgain(this.#registry.oneShotPaths(full));
  }

  async #removeFromServer(
    full: string,
    path: string,
    type: "data" | "children" | "any",
    options: RequestOptions | undefined,
  ): Promise<void> {
    // Without a connection there is nothing on any server, and the next connection is not given what was forgotten here.
    if (!this.#transport.isConnected()) return;
    try {
      await this.#transport.submit(removeWatchesOperation, { path: full, type }, path, options);
    } catch (error) {
      const gone = error instanceof NoWatcherError || error instanceof UnimplementedError;
      if (!gone && this.#transport.isConnected()) throw error;
    }
  }
}
