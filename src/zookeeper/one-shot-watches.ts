import type { UpstreamChange, WatchScope } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import { type ChildrenReply, NoNodeError, type WatchEvent } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import type { Node } from "./nodes.js";
import { childOf } from "./paths.js";
import type { Watches, WatchesHost } from "./watches.js";
import { changeOf } from "./watched-nodes.js";

/** Nodes whose data, and whose list of children, the server will tell of when it changes. */
interface Armed {
  readonly data: Set<string>;
  readonly children: Set<string>;
}

/**
 * Watches of servers before 3.6, which fire once: each read sets the watch again, so that what changes after it is told.
 * A tree takes one on the data and one on the children of each of its nodes. After a reconnect the client sets them
 * again, and the server tells what changed meanwhile.
 */
export class OneShotWatches implements Watches {
  readonly #ensemble: Ensemble;
  readonly #host: WatchesHost;
  readonly #root: string;
  readonly #isTree: boolean;
  #armed: Armed = { data: new Set(), children: new Set() };
  #over = false;

  constructor(ensemble: Ensemble, scope: WatchScope, host: WatchesHost) {
    this.#ensemble = ensemble;
    this.#host = host;
    this.#root = ensemble.paths.of(scope.path);
    this.#isTree = scope.type === "tree";
  }

  async arm(): Promise<void> {
    // The reads do it.
  }

  async readAll(): Promise<KVPair[]> {
    this.#armed = { data: new Set(), children: new Set() };
    const changes: UpstreamChange[] = [];
    const barrier = this.#ensemble.barrier({});
    await Promise.all([barrier, this.#visit(this.#root, this.#armed, changes)]);
    return changes.flatMap((change) => (change.type === "put" ? [change.pair] : []));
  }

  async read(paths: readonly string[]): Promise<UpstreamChange[]> {
    const changes: UpstreamChange[] = [];
    try {
      await Promise.all(paths.map((path) => this.#visit(path, this.#armed, changes)));
      return changes;
    } catch (error) {
      // Some were read, and will not be told of again.
      this.#host.missed();
      throw error;
    }
  }

  disarm(): void {
    if (this.#over) return;
    this.#over = true;
    const { client } = this.#ensemble;
    const { data, children } = this.#armed;
    for (const path of data) client.removeWatches(path, "data", this.#onEvent).catch(() => {});
    for (const path of children) client.removeWatches(path, "children", this.#onEvent).catch(() => {});
  }

  readonly #onEvent = ({ type, path }: WatchEvent): void => {
    if (this.#over) return;
    if (type === "nodeChildrenChanged") {
      this.#armed.children.delete(path);
    } else {
      this.#armed.data.delete(path);
      if (type === "nodeDeleted") this.#armed.children.delete(path);
    }
    this.#host.changed(path);
  };

  /** Reads what is not watched of a node, and of all new ones below it. */
  async #visit(path: string, armed: Armed, changes: UpstreamChange[]): Promise<void> {
    const reads: Promise<unknown>[] = [];
    if (!armed.data.has(path)) reads.push(this.#readData(path, armed, changes));
    if (this.#isTree && !armed.children.has(path)) reads.push(this.#readChildren(path, armed, changes));
    await Promise.all(reads);
  }

  async #readData(path: string, armed: Armed, changes: UpstreamChange[]): Promise<void> {
    const { client } = this.#ensemble;
    const node: Node = await this.#watching(armed.data, path, () => client.getData(path, { watch: this.#onEvent }));
    if (path !== this.#root || !this.#isTree) changes.push(...changeOf(this.#ensemble, path, node));
    if (node !== undefined || path !== this.#root) return;
    // The others are told of by their parents.
    armed.data.add(path);
    const { stat } = await client.exists(path, { watch: this.#onEvent });
    if (stat === undefined) return;
    armed.data.delete(path);
    this.#host.changed(path);
  }

  async #readChildren(path: string, armed: Armed, changes: UpstreamChange[]): Promise<void> {
    const { client, paths } = this.#ensemble;
    const reply: ChildrenReply | undefined = await this.#watching(armed.children, path, () =>
      client.getChildren(path, { watch: this.#onEvent }),
    );
    const visible = (reply?.children ?? []).filter((name) => !paths.isHidden(name, path));
    await Promise.all(visible.map((name) => this.#visit(childOf(path, name), armed, changes)));
  }

  /** A read that sets a watch. It is noted before the answer: the notification may follow that at once. */
  async #watching<T>(armed: Set<string>, path: string, read: () => Promise<T>): Promise<T | undefined> {
    armed.add(path);
    try {
      return await read();
    } catch (error) {
      armed.delete(path);
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}
