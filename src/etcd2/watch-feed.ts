import type { UpstreamChange, WatchScope, WatchSink } from "../core/driver.js";
import { isStoreError, type StoreError } from "../core/errors.js";
import { directoryPrefix, isBelow, isLockKey } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import { Etcd2Error, hasCode } from "./client/errors.js";
import type { EtcdEvent } from "./client/messages.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import { isPathBelow } from "./key-space.js";
import { look } from "./reads.js";

const readTimeoutMs = 10_000;
const pingTimeoutMs = 5_000;

/** A watch that is fed. */
export interface Member {
  readonly sink: WatchSink;
  /** The one key it is for; `undefined` for all of the scope. */
  readonly key: string | undefined;
  /** Wants the state of a moment after it asked, so the answer to an earlier read will not do. */
  awaits: "nothing" | "next read" | "this read";
  /** It was told a state, so that changes mean something to it. */
  begun: boolean;
}

/**
 * The events of a key or a directory, for one watch or for many: a read that gives the state and the index of the server's
 * store, then one long poll after the other from the next index on. The server keeps its last 1,000 events; when it
 * has forgotten the next one, and after every failure, the state is read again and the core finds the difference.
 */
export class WatchFeed {
  readonly #cluster: Cluster;
  readonly #scope: WatchScope;
  readonly #suspended: (reason: StoreError) => void;
  readonly #members = new Set<Member>();
  readonly #closed = new AbortController();
  /** The keys that are there, for the one event of a directory that is deleted. */
  readonly #there = new Set<string>();
  /** Aborted when somebody wants a fresh read, and a poll that only waits is in the way. */
  #interrupt = new AbortController();
  /** Of the last event, or of the read before it; `undefined` when the state has to be read. */
  #index: number | undefined;

  constructor(cluster: Cluster, scope: WatchScope, suspended: (reason: StoreError) => void) {
    this.#cluster = cluster;
    this.#scope = scope;
    this.#suspended = suspended;
    this.#run().catch(() => {});
  }

  get members(): number {
    return this.#members.size;
  }

  /** `key` narrows the feed to one key. */
  join(sink: WatchSink, key: string | undefined): Member {
    const member: Member = { sink, key, awaits: "nothing", begun: false };
    this.#members.add(member);
    this.refresh(member);
    return member;
  }

  refresh(member: Member): void {
    member.awaits = "next read";
    this.#interrupt.abort();
  }

  /** The last to leave ends the feed. */
  leave(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#close();
  }

  async #run(): Promise<void> {
    const { clock } = this.#cluster;
    const { signal } = this.#closed;
    const backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
    // Those who join in the same turn are served by the same read.
    await Promise.resolve();
    while (!signal.aborted) {
      try {
        await this.#next();
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#index = undefined;
        const explained = storeError(error, false);
        if (isStoreError(explained, "PERMISSION_DENIED") || isStoreError(explained, "UNAUTHENTICATED")) {
          return this.#fail(explained);
        }
        if (isStoreError(explained, "UNREACHABLE")) this.#suspended(explained);
        await sleep(backoff.next(), { clock, signal });
      }
    }
  }

  async #next(): Promise<void> {
    const wanted = [...this.#members].some(({ awaits }) => awaits !== "nothing");
    if (wanted || this.#index === undefined) return this.#read();
    const { client, clock, watchCheckMs } = this.#cluster;
    this.#interrupt = new AbortController();
    const { signal } = this.#interrupt;
    try {
      const query = { waitIndex: this.#index + 1, recursive: this.#scope.type === "tree" };
      this.#take(await client.wait(this.#path, query, { deadline: clock.now() + watchCheckMs, signal }));
    } catch (error) {
      if (signal.aborted) return;
      if (hasCode(error, "indexCleared")) this.#index = undefined;
      else if (error instanceof Etcd2Error && error.reason === "timeout") await this.#ping(this.#index);
      else throw error;
    }
  }

  /** Whether the server is there, has a leader, and still is the one that the index came from. */
  async #ping(index: number): Promise<void> {
    const { type, path } = this.#scope;
    const request = { deadline: this.#cluster.clock.now() + pingTimeoutMs, signal: this.#closed.signal };
    // In a tree a hidden key that is never there, so that the answer is small; who may read the tree may ask for it.
    const asked = type === "key" ? path : `${directoryPrefix(path)}_kvasir`;
    const found = await look(this.#cluster, asked, { consistency: "linearizable" }, request);
    // A server that lost its data counts from the start: it would answer only when it has come so far.
    if (found.index < index) this.#index = undefined;
  }

  /** The state as it is now, for those who ask. */
  async #read(): Promise<void> {
    const { keys, clock } = this.#cluster;
    for (const member of this.#members) if (member.awaits === "next read") member.awaits = "this read";
    const isTree = this.#scope.type === "tree";
    const { node, index } = await look(
      this.#cluster,
      this.#scope.path,
      { consistency: "linearizable", recursive: isTree },
      { deadline: clock.now() + readTimeoutMs, signal: this.#closed.signal },
    );
    const isDirectory = node?.dir === true;
    const pairs = node === undefined || isDirectory !== isTree ? [] : isTree ? keys.pairs(node) : [keys.pair(node)];
    this.#index = index;
    this.#there.clear();
    for (const { key } of pairs) this.#there.add(key);
    const byKey = new Map(pairs.map((pair) => [pair.key, pair]));
    for (const member of Array.from(this.#members)) this.#tell(member, pairs, byKey);
  }

  #tell(member: Member, pairs: readonly KVPair[], byKey: ReadonlyMap<string, KVPair>): void {
    if (member.awaits === "next read" && !member.begun) return;
    if (member.awaits === "this read") member.awaits = "nothing";
    member.begun = true;
    const pair = member.key === undefined ? undefined : byKey.get(member.key);
    if (member.key === undefined) member.sink.snapshot(pairs);
    else member.sink.snapshot(pair === undefined ? [] : [pair]);
  }

  #take(event: EtcdEvent): void {
    this.#index = event.node.modifiedIndex;
    const changes = this.#changesOf(event);
    for (const member of Array.from(this.#members)) {
      if (!member.begun) continue;
      const { key } = member;
      const own = key === undefined ? changes : changes.filter((each) => keyOf(each) === key);
      if (own.length > 0) member.sink.changes(own);
    }
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

  #fail(error: StoreError): void {
    const members = [...this.#members];
    this.#members.clear();
    this.#close();
    for (const { sink } of members) sink.fail(error);
  }

  #close(): void {
    this.#closed.abort();
    this.#interrupt.abort();
  }

  get #path(): string {
    return this.#cluster.keys.path(this.#scope.path);
  }
}

function keyOf(change: UpstreamChange): string {
  return change.type === "put" ? change.pair.key : change.key;
}
