import type { UpstreamChange, WatchScope } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import { isBelow } from "../core/keys.js";
import type { PersistentWatchHandle } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { readTree } from "./list.js";
import type { Watches, WatchesHost } from "./watches.js";
import { changesOf, readPair } from "./watched-nodes.js";

/**
 * One recursive watch of the server (3.6 and later) on the key or directory. A key's own is recursive too, as a node has
 * one mode for all watches of a connection.
 */
export class PersistentWatches implements Watches {
  readonly #ensemble: Ensemble;
  readonly #scope: WatchScope;
  readonly #host: WatchesHost;
  #handle: Promise<PersistentWatchHandle> | undefined;
  #over = false;

  constructor(ensemble: Ensemble, scope: WatchScope, host: WatchesHost) {
    this.#ensemble = ensemble;
    this.#scope = scope;
    this.#host = host;
  }

  async arm(): Promise<void> {
    const { client, paths } = this.#ensemble;
    this.#handle ??= client.addWatch(
      paths.of(this.#scope.path),
      ({ type, path }) => {
        if (this.#over) return;
        if (type === "rearmed") this.#host.missed();
        else if (type === "persistentWatchRemoved") this.#host.gone();
        else if (this.#concerns(path)) this.#host.changed(path);
      },
      { recursive: true },
    );
    try {
      await this.#handle;
    } catch (error) {
      this.#handle = undefined;
      throw error;
    }
  }

  async readAll(): Promise<KVPair[]> {
    const { type, path } = this.#scope;
    if (type === "tree") return readTree(this.#ensemble, path, "linearizable", {});
    const pair = await readPair(this.#ensemble, path);
    return pair === undefined ? [] : [pair];
  }

  read(paths: readonly string[]): Promise<UpstreamChange[]> {
    return changesOf(this.#ensemble, paths);
  }

  disarm(): void {
    this.#over = true;
    const handle = this.#handle;
    this.#handle = undefined;
    // Where the connection is lost the server has forgotten it, and the client does not set it again.
    handle?.then((armed) => armed.remove()).catch(() => {});
  }

  #concerns(path: string): boolean {
    const key = this.#ensemble.paths.keyOf(path);
    if (key === undefined) return false;
    return this.#scope.type === "key" ? key === this.#scope.path : isBelow(key, this.#scope.path);
  }
}
