import type { Upstream, WatchScope, WatchSink } from "../core/driver.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import { UnimplementedError } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { isPassing, storeError } from "./errors.js";
import { OneShotWatches } from "./one-shot-watches.js";
import { PersistentWatches } from "./persistent-watches.js";
import type { Watches, WatchesHost } from "./watches.js";

/**
 * One watch of the store. The server's notifications say what changed and not how, so it is read: all that was reported
 * together, one read at a time, and what changes meanwhile again after it.
 */
export class ZookeeperUpstream implements Upstream, WatchesHost {
  readonly #ensemble: Ensemble;
  readonly #scope: WatchScope;
  readonly #sink: WatchSink;
  readonly #end = new AbortController();
  #watches: Watches | undefined;
  #changed = new Set<string>();
  #readAll = true;
  #running = false;

  constructor(ensemble: Ensemble, scope: WatchScope, sink: WatchSink) {
    this.#ensemble = ensemble;
    this.#scope = scope;
    this.#sink = sink;
    this.#wake();
  }

  refresh(): void {
    this.#readAll = true;
    this.#wake();
  }

  close(): void {
    if (this.#closed) return;
    this.#end.abort();
    this.#watches?.disarm();
  }

  changed(path: string): void {
    this.#changed.add(path);
    this.#wake();
  }

  missed(): void {
    this.refresh();
  }

  gone(): void {
    this.#watches?.disarm();
    this.#watches = undefined;
    this.refresh();
  }

  get #closed(): boolean {
    return this.#end.signal.aborted;
  }

  #wake(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    const backoff = new Backoff({ initialMs: 20, maximumMs: 2_000 });
    // Notifications of what happened together come together: they are read and reported together.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#closed && (this.#readAll || this.#changed.size > 0)) {
      const changed = this.#changed;
      const all = this.#readAll;
      this.#changed = new Set();
      this.#readAll = false;
      try {
        if (all) await this.#reportAll();
        else await this.#report([...changed]);
        backoff.reset();
      } catch (error) {
        this.#readAll ||= all;
        for (const path of changed) this.#changed.add(path);
        if (this.#closed) break;
        if (!(await this.#mayGoOn(error, backoff))) break;
      }
    }
    this.#running = false;
  }

  async #reportAll(): Promise<void> {
    // Which watches the server knows is known with the connection.
    if (this.#ensemble.client.serverLevel === undefined) await this.#ensemble.barrier({});
    const watches = (this.#watches ??= this.#choose());
    await watches.arm();
    const pairs = await watches.readAll();
    if (!this.#closed) this.#sink.snapshot(pairs);
  }

  async #report(paths: readonly string[]): Promise<void> {
    const changes = (await this.#watches?.read(paths)) ?? [];
    if (!this.#closed && changes.length > 0) this.#sink.changes(changes);
  }

  #choose(): Watches {
    const level = this.#ensemble.client.serverLevel ?? 3.4;
    return level >= 3.6
      ? new PersistentWatches(this.#ensemble, this.#scope, this)
      : new OneShotWatches(this.#ensemble, this.#scope, this);
  }

  async #mayGoOn(error: unknown, backoff: Backoff): Promise<boolean> {
    if (error instanceof UnimplementedError) {
      // The next server is an older one.
      this.#watches?.disarm();
      this.#watches = undefined;
    } else if (!isPassing(error)) {
      this.close();
      this.#sink.fail(storeError(error, this.#ensemble.endpoint, false));
      return false;
    }
    await sleep(backoff.next(), { clock: this.#ensemble.clock, signal: this.#end.signal }).catch(() => {});
    return !this.#closed;
  }
}
