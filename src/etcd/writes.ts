import type { Expectation, PutOperation, Request, WriteAnswer, WriteOperation } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import {
  type Compare,
  compareModRevision,
  deleteRangeOp,
  putOp,
  type RequestOp,
  type TxnOutcome,
  type TxnRequest,
  type TxnResponse,
  txnOp,
} from "./client/index.js";
import type { Cluster } from "./cluster.js";
import type { KeySpace } from "./key-space.js";

/** Revisions travel as signed 64-bit integers. */
const maxRevision = 2n ** 63n - 1n;

/**
 * Writes keys in one round trip. Alone, each is the call made for it; together they are a transaction, in which every
 * compare-and-set is a nested one, so that one that fails leaves the others alone.
 *
 * Before 3.5.30 etcd does not check permissions inside nested transactions (seen on 3.4.23 and 3.5.16: a user without
 * any right to a key writes it that way). So that a batch refuses what a single call refuses, a store that logs in sends
 * each write of a batch with compare-and-sets in a request of its own, at the same time.
 */
export async function writeKeys(
  cluster: Cluster,
  operations: readonly WriteOperation[],
  request: Request,
): Promise<WriteAnswer[]> {
  const nested = operations.length > 1 && operations.some(({ expected }) => expected !== undefined);
  return nested && cluster.checksPermissions
    ? writeApart(cluster, operations, request)
    : writeTogether(cluster, operations, request);
}

async function writeTogether(
  cluster: Cluster,
  operations: readonly WriteOperation[],
  request: Request,
): Promise<WriteAnswer[]> {
  const { keys, client } = cluster;
  const [first] = operations;
  return cluster.writing(request, async (bounds) => {
    if (operations.length > 1) {
      const txn = { compare: [], success: operations.map((operation) => batchedOp(keys, operation)), failure: [] };
      if (!operations.every(isPlainPut)) return answers(operations, await client.kv.txn(txn, bounds));
      const revision = revisionOf(await client.kv.txnOutcome(txn, bounds));
      return operations.map((operation) => written(operation, revision));
    }
    if (first!.expected !== undefined) {
      const answer = await client.kv.txn(conditional(keys, first!, first!.expected), bounds);
      return [conditionalAnswer(first!, answer, revisionOf(answer))];
    }
    const key = keys.encode(first!.key);
    if (first!.type === "delete") return [(await client.kv.deleteRange({ key }, bounds)).deleted > 0n];
    const { header } = await client.kv.put({ key, value: first!.value }, bounds);
    return [new KVPair(first!.key, first!.value, header!.revision)];
  });
}

/** Each in a request of its own where one is conditional: what fails, fails for itself. */
async function writeApart(
  cluster: Cluster,
  operations: readonly WriteOperation[],
  request: Request,
): Promise<WriteAnswer[]> {
  const ends = await Promise.allSettled(operations.map((operation) => writeTogether(cluster, [operation], request)));
  return ends.map((end) => (end.status === "fulfilled" ? end.value[0]! : (end.reason as StoreError)));
}

/** True while the key is what was expected. */
export function comparison(keys: KeySpace, key: string, expected: Expectation): Compare {
  const bytes = keys.encode(key);
  if (expected === "absent") return compareModRevision(bytes, 0n);
  const { revision } = expected;
  // To etcd revision 0 means "absent", and here it is one that no pair ever had; -1 equals no key's.
  return compareModRevision(bytes, revision > 0n && revision <= maxRevision ? revision : -1n);
}

/** Why a conditional write was not carried out. */
export function conflict(key: string, expected: Expectation): StoreError {
  const details = { key, outcome: "not-applied" } as const;
  return expected === "absent"
    ? new StoreError("KEY_EXISTS", "the key is there already", details)
    : new StoreError("KEY_MODIFIED", "the key was changed or deleted since it was read", details);
}

/** The plain put or delete, with a lease where there is one. */
export function plainOp(keys: KeySpace, operation: WriteOperation | Omit<PutOperation, "expected">, lease = 0n) {
  const key = keys.encode(operation.key);
  return operation.type === "put" ? putOp({ key, value: operation.value, lease }) : deleteRangeOp({ key });
}

function conditional(keys: KeySpace, operation: WriteOperation, expected: Expectation): TxnRequest {
  return {
    compare: [comparison(keys, operation.key, expected)],
    success: [plainOp(keys, operation)],
    failure: [],
  };
}

function batchedOp(keys: KeySpace, operation: WriteOperation): RequestOp {
  if (operation.expected === undefined) return plainOp(keys, operation);
  return txnOp(conditional(keys, operation, operation.expected));
}

function answers(operations: readonly WriteOperation[], txn: TxnResponse): WriteAnswer[] {
  const revision = revisionOf(txn);
  return operations.map((operation, at) => {
    const response = txn.responses[at]?.response;
    if (response?.$case === "responseTxn") return conditionalAnswer(operation, response.responseTxn, revision);
    if (response?.$case === "responseDeleteRange") return response.responseDeleteRange.deleted > 0n;
    return written(operation, revision);
  });
}

/** Of such a one the server has nothing to say but the revision. */
function isPlainPut({ type, expected }: WriteOperation): boolean {
  return type === "put" && expected === undefined;
}

function conditionalAnswer(operation: WriteOperation, txn: TxnResponse, revision: bigint): WriteAnswer {
  return txn.succeeded ? written(operation, revision) : conflict(operation.key, operation.expected!);
}

function written(operation: WriteOperation, revision: bigint): WriteAnswer {
  return operation.type === "delete" || new KVPair(operation.key, operation.value, revision);
}

/** All writes of a transaction have the same revision, and its answer's header names it. */
function revisionOf({ header }: TxnOutcome): bigint {
  return header!.revision;
}
