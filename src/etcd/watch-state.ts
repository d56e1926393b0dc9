import type { ListQuery } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
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

/** Reads the present state of a directory, all of it of one moment; rejects with a `StoreError`. */
export async function readTree(cluster: Cluster, directory: string, signal: AbortSignal): Promise<ScopeState> {
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
