import type { CreateMode, MultiOperation, RequestOptions, Stat } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { guardOf } from "./paths.js";

/**
 * Creates a key's node, where there is none and its directory is there: first without a value, as a directory is, then
 * with it; so its version is above 0. `first` is done with it and before it.
 */
export async function createKey(
  ensemble: Ensemble,
  path: string,
  value: Uint8Array,
  bounds: RequestOptions,
  { mode = "persistent", first = [] }: { mode?: CreateMode; first?: readonly MultiOperation[] } = {},
): Promise<Stat | undefined> {
  const operations: MultiOperation[] = [
    ...first,
    { type: "create", path, mode, acl: ensemble.acl },
    { type: "setData", path, data: value },
    { type: "setData", path: guardOf(path), data: null },
  ];
  const { results } = await ensemble.multi(operations, bounds);
  const result = results[first.length + 1];
  return result?.type === "setData" ? result.stat : undefined;
}
