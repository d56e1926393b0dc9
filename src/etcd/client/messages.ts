import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "./generated/kv.js";
import { Compare_CompareResult as Result, Compare_CompareTarget as Target } from "./generated/kv.js";

/** Field defaults of the protocol, so that callers write only what they mean. By name: spreads take several times as long. */
const none = new Uint8Array(0);

export function rangeRequest(fields: Pick<RangeRequest, "key"> & Partial<RangeRequest>): RangeRequest {
  const { rangeEnd = none, limit = 0n, revision = 0n, sortOrder = 0, sortTarget = 0 } = fields;
  const { serializable = false, keysOnly = false, countOnly = false } = fields;
  const { minModRevision = 0n, maxModRevision = 0n, minCreateRevision = 0n, maxCreateRevision = 0n } = fields;
  return {
    key: fields.key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

export function putRequest(fields: Pick<PutRequest, "key"> & Partial<PutRequest>): PutRequest {
  const { key, value = none, lease = 0n, prevKv = false, ignoreValue = false, ignoreLease = false } = fields;
  return { key, value, lease, prevKv, ignoreValue, ignoreLease };
}

export function deleteRangeRequest(
  fields: Pick<DeleteRangeRequest, "key"> & Partial<DeleteRangeRequest>,
): DeleteRangeRequest {
  const { key, rangeEnd = none, prevKv = false } = fields;
  return { key, rangeEnd, prevKv };
}

/** Operations of a transaction. */
export function rangeOp(fields: Pick<RangeRequest, "key"> & Partial<RangeRequest>): RequestOp {
  return { request: { $case: "requestRange", requestRange: rangeRequest(fields) } };
}

export function putOp(fields: Pick<PutRequest, "key"> & Partial<PutRequest>): RequestOp {
  return { request: { $case: "requestPut", requestPut: putRequest(fields) } };
}

export function deleteRangeOp(fields: Pick<DeleteRangeRequest, "key"> & Partial<DeleteRangeRequest>): RequestOp {
  return { request: { $case: "requestDeleteRange", requestDeleteRange: deleteRangeRequest(fields) } };
}

export function txnOp(requestTxn: TxnRequest): RequestOp {
  return { request: { $case: "requestTxn", requestTxn } };
}

/** True while the key's last put is the one with this revision; 0 for a key that is absent. */
export function compareModRevision(key: Uint8Array, modRevision: bigint): Compare {
  const targetUnion = { $case: "modRevision", modRevision } as const;
  return { result: Result.EQUAL, target: Target.MOD, key, targetUnion, rangeEnd: none };
}

/** True while the key is the one created at this revision; 0 for a key that is absent. */
export function compareCreateRevision(key: Uint8Array, createRevision: bigint): Compare {
  const targetUnion = { $case: "createRevision", createRevision } as const;
  return { result: Result.EQUAL, target: Target.CREATE, key, targetUnion, rangeEnd: none };
}

/** End of the range of all keys that start with `prefix`; of every key when it is empty. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  for (let at = prefix.length - 1; at >= 0; at--) {
    if (prefix[at]! < 0xff) {
      const end = prefix.slice(0, at + 1);
      end[at]! += 1;
      return end;
    }
  }
  return new Uint8Array(1);
}
