import { MultiError, NodeExistsError, NoNodeError, ReadFailure, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { createGuard } from "./guard-nodes.js";
import { ancestorsOf, guardOf } from "./paths.js";

/**
 * Creates a directory, and where one above it is missing, that too. Those that are there are not touched: a server says
 * of a node in a directory that it keeps closed that it may not be created, not that it exists.
 */
export async function createDirectories(ensemble: Ensemble, path: string, bounds: RequestOptions): Promise<void> {
  if (await createDirectory(ensemble, path, bounds)) return;
  const ancestors = ancestorsOf(path);
  const reads = ancestors.map((each) => ({ type: "getData", path: each }) as const);
  const nodes = await ensemble.client.multiRead(reads, bounds);
  const missing = ancestors.filter((_, at) => {
    const node = nodes[at];
    return node instanceof ReadFailure && node.code === NoNodeError.code;
  });
  await Promise.all([...missing, path].map((each) => createDirectory(ensemble, each, bounds)));
}

/** Whether it is there now; it is not where its parent is missing. */
async function createDirectory(ensemble: Ensemble, path: string, bounds: RequestOptions): Promise<boolean> {
  const guard = guardOf(path);
  const operations = [
    { type: "create", path, acl: ensemble.acl },
    { type: "setData", path: guard, data: null },
  ] as const;
  try {
    await ensemble.multi(operations, bounds);
    return true;
  } catch (error) {
    if (!(error instanceof MultiError)) throw error;
    if (error.failure instanceof NodeExistsError) return true;
    if (!(error.failure instanceof NoNodeError)) throw error;
    if (error.index === 0) return false;
    await createGuard(ensemble, guard, bounds);
    return createDirectory(ensemble, path, bounds);
  }
}
