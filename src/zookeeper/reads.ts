import type { ReadAnswer, ReadOperation, Request } from "../core/driver.js";
import type { Consistency } from "../core/store.js";
import { errorFromCode, type MultiReadResult, NoNodeError, ReadFailure } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { storeError } from "./errors.js";
import { isKey, pairOf } from "./nodes.js";

/** Reads keys in one round trip: a multi-read, behind a barrier where they are to be linearizable. */
export async function readKeys(
  ensemble: Ensemble,
  operations: readonly ReadOperation[],
  consistency: Consistency,
  request: Request,
): Promise<ReadAnswer[]> {
  const { client, paths } = ensemble;
  const bounds = ensemble.bounds(request);
  // A multi-read takes no `exists`; that would not tell a directory from an empty key either.
  const reads = operations.map(({ key }) => ({ type: "getData", path: paths.of(key) }) as const);
  try {
    if (consistency === "stale") return answers(ensemble, operations, await client.multiRead(reads, bounds));
    const [, results] = await Promise.all([ensemble.barrier(bounds), client.multiRead(reads, bounds)]);
    return answers(ensemble, operations, results);
  } catch (error) {
    throw storeError(error, ensemble.endpoint, false);
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
