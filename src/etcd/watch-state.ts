import type { ListQuery, WatchScope } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import { copyBytes } from "../util/bytes.js";
import type { Cluster } from "./cluster.js";
import { readPage } from "./list.js";

/** How long one page of a state may take, in milliseconds, before it is asked for again. */
const pageTimeoutMs = 10_000;

/** What a watch shows at a revision. */
export interface ScopeState {
  readonly pairs: readonly KVPair[];
  readonly revision: bigint;
  /** The youngest revision of a key in the scope, hidden keys included: the stream's events come at least that far. */
  readonly newest: bigint;
}

/** Reads the present state of a key or a tree; rejects with a `StoreError`. */
export function readScope(cluster: Cluster, { type, path }: WatchScope, signal: AbortSignal): Promise<ScopeState> {
  return type === "key" ? readKey(cluster, path, signal) : readTree(cluster, path, signal);
}

async function readKey(cluster: Cluster, key: string, signal: AbortSignal): Promise<ScopeState> {
  const request = { deadline: cluster.clock.now() + pageTimeoutMs, signal };
  const { kvs, header } = await cluster.reading(request, (bounds) =>
    cluster.client.kv.range({ key: cluster.keys.encode(key) }, bounds),
  );
  const pairs = kvs.map((kv) => new KVPair(key, copyBytes(kv.value), kv.modRevision));
  return { pairs, revision: header!.revision, newest: kvs[0]?.modRevision ?? 0n };
}

async function readTree(cluster: Cluster, directory: string, signal: AbortSignal): Promise<ScopeState> {
  const query: ListQuery = {
    directory,
    limit: undefined,
    depth: undefined,
    keysOnly: false,
    consistency: "linearizable",
  };
  const pairs: KVPair[] = [];
  let revision: bigint | undefined;
  let newest = 0n;
  let from: unknown;
  do {
    const request = { deadline: cluster.clock.now() + pageTimeoutMs, signal };
    const read = await readPage(cluster, { ...query, from }, request);
    // Pages of two moments are no state to go on from.
    if (revision !== undefined && read.revision !== revision) return readTree(cluster, directory, signal);
    revision = read.revision;
    if (read.newest > newest) newest = read.newest;
    for (const pair of read.page.pairs) pairs.push(pair);
    from = read.page.next;
  } while (from !== undefined);
  return { pairs, revision, newest };
}
