import type { ReadAnswer, ReadOperation, Request } from "../core/driver.js";
import type { Consistency } from "../core/store.js";
import { errorFromCode, type MultiReadResult, NoNodeError, ReadFailure, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";
import { isKey, pairOf } from "./nodes.js";

/** Reads keys in one round trip: a multi-read of several, behind a barrier where they are to be linearizable. */
export async function readKeys(
  ensemble: Ensemble,
  operations: readonly ReadOperation[],
  consistency: Consistency,
  request: Request,
): Promise<ReadAnswer[]> {
  const bounds = ensemble.bounds(request);
  try {
    if (consistency === "stale") return answers(ensemble, operations, await readNodes(ensemble, operations, bounds));
    const [, results] = await Promise.all([ensemble.barrier(bounds), readNodes(ensemble, operations, bounds)]);
    return answers(ensemble, operations, results);
  } catch (error) {
    throw storeError(error, ensemble.endpoint, false);
  }
}

/** Neither way takes an `exists`: that would not tell a directory from an empty key. */
async function readNodes(
  { client, paths }: Ensemble,
  operations: readonly ReadOperation[],
  bounds: RequestOptions,
): Promise<MultiReadResult[]> {
  if (operations.length > 1) {
    return client.multiRead(
      operations.map(({ key }) => ({ type: "getData", path: paths.of(key) })),
      bounds,
    );
  }
  try {
    return [await client.getData(paths.of(operations[0]!.key), bounds)];
  } catch (error) {
    if (error instanceof NoNodeError) return [new ReadFailure(error.code)];
    throw error;
  }
}

function answers(
  { endpoint }: Ensemble,
  operations: readonly ReadOperation[],
  results: readonly MultiReadResult[],
): ReadAnswer[] {
  return operations.map(({ type, key }, at) => {
    const result = results[at]!;
    if (result instanceof ReadFailure) {
      if (result.code === NoNodeError.code) return type === "exists" ? false : undefined;
      return storeError(errorFromCode(result.code), endpoint, false);
    }
    if (!("stat" in result)) return undefined;
    return type === "exists" ? isKey(result) : pairOf(key, result);
  });
}
