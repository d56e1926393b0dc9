import type { DeleteOperation, Expectation, PutOperation, Request } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import { decodeUtf8 } from "../util/bytes.js";
import type { WriteQuery, Written } from "./client/client.js";
import { hasCode } from "./client/errors.js";
import type { Cluster } from "./cluster.js";
import { belowKey, besideAnother, hasKeysBelow, keyExists, keyModified, notApplied, storeError } from "./errors.js";

/** A put, with a ttl in milliseconds where it has one. */
export async function put(
  cluster: Cluster,
  operation: PutOperation,
  ttlMs: number | undefined,
  request: Request,
): Promise<{ pair: KVPair; written: Written }> {
  const { key, value } = operation;
  const query = { ...comparisonOf(operation), ...(ttlMs === undefined ? { noValueOnSuccess: true } : ttlOf(ttlMs)) };
  for (;;) {
    try {
      const written = await cluster.client.put(cluster.keys.path(key), decodeUtf8(value), query, request);
      return { pair: new KVPair(key, value, BigInt(written.index), ttlMs), written };
    } catch (error) {
      await makeRoom(cluster, operation, error, request);
    }
  }
}

/** Whether there was something to delete. */
export async function remove(cluster: Cluster, operation: DeleteOperation, request: Request): Promise<boolean> {
  const { key, expected } = operation;
  if (expected === "absent") throw keyExists(key);
  try {
    await cluster.client.delete(cluster.keys.path(key), comparisonOf(operation), request);
    return true;
  } catch (error) {
    if (!hasCode(error, "keyNotFound", "notFile", "notDirectory", "compareFailed")) throw storeError(error, true);
    if (expected !== undefined) throw keyModified(key);
    return false;
  }
}

export function ttlOf(ttlMs: number): Pick<WriteQuery, "ttl"> {
  return { ttl: ttlMs / 1_000 };
}

/** What the server is to compare. Throws where it could only say no, or would compare nothing. */
function comparisonOf({
  key,
  expected,
}: {
  key: string;
  expected?: Expectation | undefined;
}): Pick<WriteQuery, "prevExist" | "prevIndex"> {
  if (expected === undefined) return {};
  if (expected === "absent") return { prevExist: false };
  const { revision } = expected;
  // The server takes 0 for "whatever there is", and reads 64 bits.
  if (revision <= 0n || revision >= 2n ** 64n) throw keyModified(key);
  return { prevIndex: revision };
}

/** Returns when the put that failed so should be tried again, and otherwise throws what its caller is to be told. */
async function makeRoom(
  cluster: Cluster,
  { key, expected }: PutOperation,
  error: unknown,
  request: Request,
): Promise<void> {
  const comparesRevision = expected !== undefined && expected !== "absent";
  if (comparesRevision && hasCode(error, "keyNotFound", "compareFailed", "notFile", "notDirectory")) {
    throw keyModified(key);
  }
  if (hasCode(error, "notDirectory")) throw besideAnother(key, belowKey);
  if (!hasCode(error, "notFile", "keyExists")) throw storeError(error, true);
  try {
    // What exists may be a directory: the server says the same of both.
    if (hasCode(error, "keyExists") && !(await isDirectory(cluster, key, request))) throw keyExists(key);
    if (!(await cluster.directories.clear(cluster.keys.path(key), request))) {
      throw besideAnother(key, hasKeysBelow);
    }
  } catch (failure) {
    throw failure instanceof StoreError ? failure : notApplied(failure);
  }
}

async function isDirectory({ client, keys }: Cluster, key: string, request: Request): Promise<boolean> {
  try {
    const { node } = await client.get(keys.path(key), { quorum: true }, request);
    return node.dir === true;
  } catch (error) {
    // Who may write but not read is told that the key exists, which is what the server said.
    if (hasCode(error, "keyNotFound", "notDirectory", "unauthorized")) return false;
    throw error;
  }
}
