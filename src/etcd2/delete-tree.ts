import type { Request } from "../core/driver.js";
import { hasCode } from "./client/errors.js";
import type { EtcdNode } from "./client/messages.js";
import type { Cluster } from "./cluster.js";
import { inTheMiddle, notApplied, storeError } from "./errors.js";
import { type Found, look } from "./reads.js";

/**
 * Deletes a directory, and says how many keys were in it a moment before: the server's answer does not tell. A recursive
 * delete of a plain key would delete that, so it is looked at first.
 */
export async function deleteTree(cluster: Cluster, directory: string, request: Request): Promise<number> {
  let found: Found;
  try {
    found = await look(cluster, directory, { consistency: "linearizable", recursive: true }, request);
  } catch (error) {
    throw notApplied(error);
  }
  const { node } = found;
  if (node?.dir !== true) return 0;
  const count = cluster.keys.pairs(node).length;
  const path = cluster.keys.path(directory);
  if (path === "/") await deleteEach(cluster, node.nodes ?? [], request);
  else await deletePath(cluster, path, request);
  return count;
}

/** The server's own root cannot be deleted, so what is in it goes piece by piece. */
async function deleteEach(cluster: Cluster, nodes: readonly EtcdNode[], request: Request): Promise<void> {
  let deleted = 0;
  for (const { key } of nodes) {
    try {
      await deletePath(cluster, key!, request);
      deleted++;
    } catch (error) {
      throw deleted === 0 ? error : inTheMiddle(error);
    }
  }
}

async function deletePath({ client }: Cluster, path: string, request: Request): Promise<void> {
  try {
    await client.delete(path, { recursive: true, dir: true }, request);
  } catch (error) {
    if (!hasCode(error, "keyNotFound")) throw storeError(error, true);
  }
}
