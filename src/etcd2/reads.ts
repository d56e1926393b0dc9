import type { ListPage, ListQuery, Request } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import type { Consistency } from "../core/store.js";
import { hasCode } from "./client/errors.js";
import type { EtcdNode } from "./client/messages.js";
import type { Cluster } from "./cluster.js";

/** What stands at a key or a directory (`""` is the root), and the index of the server's store at that moment. */
export interface Found {
  /** `undefined` where nothing is. */
  readonly node: EtcdNode | undefined;
  readonly index: number;
}

export async function look(
  { client, keys }: Cluster,
  key: string,
  options: { consistency: Consistency; recursive?: boolean | undefined },
  request: Request,
): Promise<Found> {
  try {
    const query = { quorum: options.consistency === "linearizable", recursive: options.recursive };
    return await client.get(keys.path(key), query, request);
  } catch (error) {
    // "Not a directory": a key stands above it.
    if (!hasCode(error, "keyNotFound", "notDirectory")) throw error;
    return { node: undefined, index: error.index ?? 0 };
  }
}

/** The pair at a key; a directory is none. */
export async function get(
  cluster: Cluster,
  key: string,
  consistency: Consistency,
  request: Request,
): Promise<KVPair | undefined> {
  const { node } = await look(cluster, key, { consistency }, request);
  return node === undefined || node.dir === true ? undefined : cluster.keys.pair(node);
}

/** Everything below the directory in one answer: the v2 API has no pages. */
export async function list(cluster: Cluster, query: ListQuery, request: Request): Promise<ListPage> {
  const { directory, consistency, depth, keysOnly } = query;
  // Names of deeper directories are wanted of those with keys in them, which one level does not tell.
  const recursive = depth !== 1 || keysOnly;
  const { node } = await look(cluster, directory, { consistency, recursive }, request);
  return { pairs: node?.dir === true ? cluster.keys.pairs(node) : [] };
}
