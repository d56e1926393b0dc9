import type { ReadAnswer, ReadOperation, Request } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import type { Consistency } from "../core/store.js";
import { pooledCopy } from "../util/bytes.js";
import { type RangeResponse, rangeOp } from "./client/index.js";
import type { Cluster } from "./cluster.js";

/** Reads keys in one round trip: alone as a range, together as a transaction of ranges. */
export async function readKeys(
  cluster: Cluster,
  operations: readonly ReadOperation[],
  consistency: Consistency,
  request: Request,
): Promise<ReadAnswer[]> {
  const serializable = consistency === "stale";
  const ranges = operations.map(({ type, key }) => ({
    key: cluster.keys.encode(key),
    countOnly: type === "exists",
    serializable,
  }));
  return cluster.reading(request, async (bounds) => {
    const { kv } = cluster.client;
    if (ranges.length === 1) return [answer(operations[0]!, await kv.range(ranges[0]!, bounds))];
    const txn = { compare: [], success: ranges.map(rangeOp), failure: [] };
    const { responses } = await kv.txn(txn, { ...bounds, readOnly: true, serializable });
    return operations.map((operation, at) => answer(operation, rangeIn(responses[at])));
  });
}

function answer({ type, key }: ReadOperation, { count, kvs: [kv] }: RangeResponse): ReadAnswer {
  if (type === "exists") return count > 0n;
  return kv === undefined ? undefined : new KVPair(key, pooledCopy(kv.value), kv.modRevision);
}

type Responses = Awaited<ReturnType<Cluster["client"]["kv"]["txn"]>>["responses"];

/** The range among a transaction's answers that is expected at this place. */
export function rangeIn(response: Responses[number] | undefined): RangeResponse {
  if (response?.response?.$case === "responseRange") return response.response.responseRange;
  throw new Error("etcd answered a range with something else");
}
