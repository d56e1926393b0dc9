import type { LeasedPair, PutOperation, Request } from "../core/driver.js";
import { decodeUtf8 } from "../util/bytes.js";
import type { Cluster } from "./cluster.js";
import { KeyLease } from "./lease.js";
import { put } from "./writes.js";

/** A put with a ttl, which etcd v2 keeps for each key itself. */
export async function putLeased(
  cluster: Cluster,
  operation: PutOperation,
  ttlMs: number,
  request: Request,
): Promise<LeasedPair> {
  const { pair, written } = await put(cluster, operation, ttlMs, request);
  const { index, node } = written;
  const value = decodeUtf8(pair.value);
  const leased = { key: operation.key, ttlMs, value, index, createdIndex: node!.createdIndex };
  return { pair, lease: new KeyLease(cluster, leased) };
}
