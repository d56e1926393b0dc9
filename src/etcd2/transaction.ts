import type { Check, Committed, Request, Transaction } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import type { Cluster } from "./cluster.js";
import { keyExists, keyModified, notApplied } from "./errors.js";
import { get } from "./reads.js";
import { put, remove } from "./writes.js";
import { putLeased } from "./put-leased.js";

/**
 * A transaction on one key, which is all the v2 API can do: a compare-and-set, or a comparison alone. The core lets none
 * through that is about several keys.
 */
export async function commit(cluster: Cluster, { checks, writes }: Transaction, request: Request): Promise<Committed> {
  const [check, another] = checks;
  const [write] = writes;
  // The server compares once, and cannot compare what it only reads or what need not be there to be deleted.
  const compares =
    write !== undefined && check !== undefined && !(write.type === "delete" && check.expected === "absent");
  if (!compares || another !== undefined) await compareHere(cluster, checks, request);
  const expected = compares ? check.expected : undefined;
  if (write === undefined) return [];
  if (write.type === "put") {
    const operation = { ...write, expected };
    if (write.ttlMs !== undefined) return [await putLeased(cluster, operation, write.ttlMs, request)];
    return [{ pair: (await put(cluster, operation, undefined, request)).pair }];
  }
  if (!(check?.expected === "absent")) await remove(cluster, { ...write, expected }, request);
  return [];
}

async function compareHere(cluster: Cluster, checks: readonly Check[], request: Request): Promise<void> {
  for (const { key, expected } of checks) {
    let pair: KVPair | undefined;
    try {
      pair = await get(cluster, key, "linearizable", request);
    } catch (error) {
      throw notApplied(error);
    }
    if (expected === "absent" && pair !== undefined) throw keyExists(key);
    if (expected !== "absent" && pair?.revision !== expected.revision) throw keyModified(key);
  }
}
