import { MultiError, NodeExistsError, NoNodeError, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { createGuard } from "./guard-nodes.js";
import { ancestorsOf, guardOf } from "./paths.js";

/** Creates a directory and what is missing above it, all at once. */
export async function createDirectories(ensemble: Ensemble, path: string, bounds: RequestOptions): Promise<void> {
  await Promise.all([...ancestorsOf(path), path].map((each) => createDirectory(ensemble, each, bounds)));
}

async function createDirectory(ensemble: Ensemble, path: string, bounds: RequestOptions): Promise<void> {
  const guard = guardOf(path);
  const operations = [
    { type: "create", path, acl: ensemble.acl },
    { type: "setData", path: guard, data: null },
  ] as const;
  try {
    await ensemble.multi(operations, bounds);
  } catch (error) {
    if (!(error instanceof MultiError)) throw error;
    if (error.failure instanceof NodeExistsError) return;
    // Its parent is being made at the same time, or was deleted again: whoever needs it asks again.
    if (!(error.failure instanceof NoNodeError)) throw error;
    if (error.index === 1) await createGuard(ensemble, guard, bounds);
    if (error.index === 1) await createDirectory(ensemble, path, bounds);
  }
}
