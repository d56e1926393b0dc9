import type { UpstreamChange, WatchScope } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import { directoryPrefix, isBelow, isLockKey } from "../core/keys.js";
import type { PolledMember, PolledSource, Telling } from "../core/polled-watch.js";
import { Etcd2Error, hasCode } from "./client/errors.js";
import type { EtcdEvent } from "./client/messages.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import { isPathBelow } from "./key-space.js";
import { look } from "./reads.js";

const readTimeoutMs = 10_000;
const pingTimeoutMs = 5_000;

/**
 * The events of a key or a directory: a read that gives the state and the index of the server's store, then one long poll
 * after the other from the next index on. The server keeps its last 1,000 events; when it has forgotten the next one, the
 * state is read again.
 */
export class WatchFeed implements PolledSource {
  readonly #cluster: Cluster;
  readonly #scope: WatchScope;
  /** The keys that are there, for the one event of a directory that is deleted. */
  readonly #there = new Set<string>();
  /** Of the last event, or of the read before it; `undefined` when the state has to be read. */
  #index: number | undefined;

  constructor(cluster: Cluster, scope: WatchScope) {
    this.#cluster = cluster;
    this.#scope = scope;
  }

  get continues(): boolean {
    return this.#index !== undefined;
  }

  forget(): void {
    this.#index = undefined;
  }

  async read(signal: AbortSignal): Promise<Telling> {
    const { keys, clock } = this.#cluster;
    const isTree = this.#scope.type === "tree";
    const { node, index } = await look(
      this.#cluster,
      this.#scope.path,
      { consistency: "linearizable", recursive: isTree },
      { deadline: clock.now() + readTimeoutMs, signal },
    );
    const isDirectory = node?.dir === true;
    const pairs = node === undefined || isDirectory !== isTree ? [] : isTree ? keys.pairs(node) : [keys.pair(node)];
    this.#index = index;
    this.#there.clear();
    for (const { key } of pairs) this.#there.add(key);
    const byKey = new Map(pairs.map((pair) => [pair.key, pair]));
    return (members) => {
      for (const { sink, key } of members) {
        const pair = key === undefined ? undefined : byKey.get(key);
        sink.snapshot(key === undefined ? pairs : pair === undefined ? [] : [pair]);
      }
      return 0;
    };
  }

  async poll(signal: AbortSignal): Promise<Telling | undefined> {
    const { client, clock, watchCheckMs } = this.#cluster;
    const index = this.#index!;
    try {
      const query = { waitIndex: index + 1, recursive: this.#scope.type === "tree" };
      const event = await client.wait(this.#path, query, { deadline: clock.now() + watchCheckMs, signal });
      return (members) => this.#tell(members, event);
    } catch (error) {
      if (hasCode(error, "indexCleared")) this.#index = undefined;
      else if (error instanceof Etcd2Error && error.reason === "timeout") await this.#ping(index, signal);
      else throw error;
      return undefined;
    }
  }

  explain(error: unknown): StoreError {
    return storeError(error, false);
  }

  /** Whether the server is there, has a leader, and still is the one that the index came from. */
  async #ping(index: number, signal: AbortSignal): Promise<void> {
    const { type, path } = this.#scope;
    const request = { deadline: this.#cluster.clock.now() + pingTimeoutMs, signal };
    // In a tree a hidden key that is never there, so that the answer is small; who may read the tree may ask for it.
    const asked = type === "key" ? path : `${directoryPrefix(path)}_kvasir`;
    const found = await look(this.#cluster, asked, { consistency: "linearizable" }, request);
    // A server that lost its data counts from the start: it would answer only when it has come so far.
    if (found.index < index) this.#index = undefined;
  }

  #tell(members: readonly PolledMember[], event: EtcdEvent): number {
    this.#index = event.node.modifiedIndex;
    const changes = this.#changesOf(event);
    for (const { sink, key } of members) {
      const own = key === undefined ? changes : changes.filter((each) => keyOf(each) === key);
      if (own.length > 0) sink.changes(own);
    }
    return 0;
  }

  #changesOf({ action, node, prevNode }: EtcdEvent): UpstreamChange[] {
    const { keys } = this.#cluster;
    const path = node.key ?? "/";
    const revision = BigInt(node.modifiedIndex);
    const gone = action === "delete" || action === "expire" || action === "compareAndDelete";
    if (node.dir === true || prevNode?.dir === true) {
      // One event for all that was in it. A directory that comes to be where a key was takes its place.
      const lost = [...this.#there].filter(
        (key) => keys.path(key) === path || (gone && isPathBelow(keys.path(key), path)),
      );
      for (const key of lost) this.#there.delete(key);
      return lost.map((key) => ({ type: "delete", key, revision }));
    }
    const key = keys.key(path);
    if (!this.#isInScope(key)) return [];
    if (gone) return this.#there.delete(key) ? [{ type: "delete", key, revision }] : [];
    this.#there.add(key);
    return [{ type: "put", pair: keys.pair(node) }];
  }

  #isInScope(key: string): boolean {
    const { type, path } = this.#scope;
    return type === "key" ? key === path : isBelow(key, path) && !isLockKey(key);
  }

  get #path(): string {
    return this.#cluster.keys.path(this.#scope.path);
  }
}

function keyOf(change: UpstreamChange): string {
  return change.type === "put" ? change.pair.key : change.key;
}
