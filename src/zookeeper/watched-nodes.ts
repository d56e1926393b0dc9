import type { UpstreamChange } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import { errorFromCode, type MultiReadResult, NoNodeError, ReadFailure } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { type Node, pairOf } from "./nodes.js";

/** So many nodes are read in one request. */
const readsPerRequest = 128;

/** A key's present pair, not older than the call. */
export async function readPair(ensemble: Ensemble, key: string): Promise<KVPair | undefined> {
  const path = ensemble.paths.of(key);
  const [, [result]] = await Promise.all([
    ensemble.barrier({}),
    ensemble.client.multiRead([{ type: "getData", path }]),
  ]);
  const node = result === undefined ? undefined : nodeOf(result, path);
  return node && pairOf(key, node);
}

/** What became of nodes that were reported as changed: what the server has now, which told of it. */
export async function changesOf(ensemble: Ensemble, paths: readonly string[]): Promise<UpstreamChange[]> {
  const requests: Promise<MultiReadResult[]>[] = [];
  for (let at = 0; at < paths.length; at += readsPerRequest) {
    const reads = paths.slice(at, at + readsPerRequest).map((path) => ({ type: "getData", path }) as const);
    requests.push(ensemble.client.multiRead(reads));
  }
  const results = (await Promise.all(requests)).flat();
  return paths.flatMap((path, at) => changeOf(ensemble, path, nodeOf(results[at]!, path)));
}

/** A node as a change of its key; none for nodes that are no keys'. */
export function changeOf(ensemble: Ensemble, path: string, node: Node): UpstreamChange[] {
  const key = ensemble.paths.keyOf(path);
  if (key === undefined) return [];
  const pair = node && pairOf(key, node);
  return [pair === undefined ? { type: "delete", key } : { type: "put", pair }];
}

/** What was read; throws what the server had against it. */
function nodeOf(result: MultiReadResult, path: string): Node {
  if (!(result instanceof ReadFailure)) return "stat" in result ? result : undefined;
  if (result.code === NoNodeError.code) return undefined;
  throw errorFromCode(result.code, { operation: "getData", path });
}
