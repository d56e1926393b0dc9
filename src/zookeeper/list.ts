import type { ListPage, ListQuery, Request } from "../core/driver.js";
import { compareKeys } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { Consistency } from "../core/store.js";
import type { RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { pairOf } from "./nodes.js";
import { walk } from "./walk.js";

/** All pairs below a directory, in one page: ZooKeeper lists children in no order, so there are no smaller ones. */
export async function listTree(ensemble: Ensemble, query: ListQuery, request: Request): Promise<ListPage> {
  const { directory, consistency, keysOnly } = query;
  // Whether a directory at that depth has keys below it, only those keys can tell.
  const levels = keysOnly ? undefined : query.depth;
  const pairs = await ensemble.reading(request, (bounds) => readTree(ensemble, directory, consistency, bounds, levels));
  return { pairs: pairs.sort((left, right) => compareKeys(left.key, right.key)) };
}

/** All pairs below a directory, or in its first `levels`, in no order. */
export async function readTree(
  ensemble: Ensemble,
  directory: string,
  consistency: Consistency,
  bounds: RequestOptions,
  levels?: number,
): Promise<KVPair[]> {
  const { paths } = ensemble;
  const barrier = consistency === "stale" ? undefined : ensemble.barrier(bounds);
  const [visited] = await Promise.all([walk(ensemble, paths.of(directory), bounds, levels), barrier]);
  const pairs: KVPair[] = [];
  for (const { path, node } of visited) {
    const key = paths.keyOf(path);
    const pair = key === undefined ? undefined : pairOf(key, node);
    if (pair !== undefined) pairs.push(pair);
  }
  return pairs;
}
