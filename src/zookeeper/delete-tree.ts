import type { Request } from "../core/driver.js";
import { MultiError, type MultiOperation, NoNodeError, NotEmptyError, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { beforeWriting, halfDone, storeError } from "./errors.js";
import { isKey } from "./nodes.js";
import { childOf, parentOf } from "./paths.js";
import { pruneAbove } from "./prune.js";
import { type Visited, walk } from "./walk.js";

/** So many nodes go in one transaction: with the longest of paths it stays below `jute.maxbuffer`. */
const nodesPerTransaction = 400;

/** A node to delete, or to empty where something below it stays. */
interface Doomed {
  readonly path: string;
  readonly isKey: boolean;
  readonly stays: boolean;
}

/**
 * Deletes all keys below a directory and counts them, from the leaves up, many in a transaction. Keys that are created
 * meanwhile may stay; what is above them, and above what belongs to locks, stays as directories.
 */
export async function deleteTree(ensemble: Ensemble, directory: string, request: Request): Promise<number> {
  const root = ensemble.paths.of(directory);
  let count = 0;
  try {
    const doomed = await findDoomed(ensemble, root, ensemble.bounds(request));
    for (let at = 0; at < doomed.length; at += nodesPerTransaction) {
      count += await deleteTogether(ensemble, doomed.slice(at, at + nodesPerTransaction), ensemble.bounds(request));
    }
    if (doomed.length > 0) await pruneAbove(ensemble, [childOf(root, "child")], ensemble.bounds(request));
    return count;
  } catch (error) {
    const { signal } = request;
    if (signal?.aborted === true && error === signal.reason) throw error;
    throw count === 0
      ? storeError(error, ensemble.endpoint, true)
      : halfDone(error, ensemble.endpoint, `after ${count} keys were deleted`).with({ key: directory });
  }
}

/** Everything below the root that holds a value or can go, the deepest first. */
async function findDoomed(ensemble: Ensemble, root: string, bounds: RequestOptions): Promise<Doomed[]> {
  let visited: Visited[];
  try {
    [, visited] = await Promise.all([ensemble.barrier(bounds), walk(ensemble, root, bounds)]);
  } catch (error) {
    throw beforeWriting(error, ensemble.endpoint);
  }
  const staying = new Set<string>();
  for (const { path, hasHidden } of visited) {
    if (!hasHidden) continue;
    for (let at = path; at.length > root.length && !staying.has(at); at = parentOf(at)!) staying.add(at);
  }
  return visited
    .map(({ path, node }) => ({ path, isKey: isKey(node), stays: staying.has(path) }))
    .filter((node) => node.isKey || !node.stays)
    .sort((left, right) => right.path.length - left.path.length);
}

/** Deletes some in one transaction, or each alone when the server refuses that. Gives the number of keys. */
async function deleteTogether(ensemble: Ensemble, doomed: readonly Doomed[], bounds: RequestOptions): Promise<number> {
  const { client, paths } = ensemble;
  for (const { path } of doomed) {
    const key = paths.keyOf(path);
    if (key !== undefined) ensemble.forget(key);
  }
  const operations = doomed.map(
    ({ path, stays }): MultiOperation => (stays ? { type: "setData", path, data: null } : { type: "delete", path }),
  );
  try {
    await client.multi(operations, bounds);
    return doomed.filter((node) => node.isKey).length;
  } catch (error) {
    if (!(error instanceof MultiError)) throw error;
  }
  const deleted = await Promise.all(doomed.map((node) => deleteAlone(ensemble, node, bounds)));
  return deleted.filter(Boolean).length;
}

/** Whether a key was deleted; others may have deleted it before, or created something below it. */
async function deleteAlone({ client }: Ensemble, node: Doomed, bounds: RequestOptions): Promise<boolean> {
  try {
    if (!node.stays) {
      try {
        await client.delete(node.path, bounds);
        return node.isKey;
      } catch (error) {
        if (!(error instanceof NotEmptyError)) throw error;
        if (!node.isKey) return false;
      }
    }
    await client.setData(node.path, null, bounds);
    return true;
  } catch (error) {
    if (error instanceof NoNodeError) return false;
    throw error;
  }
}
