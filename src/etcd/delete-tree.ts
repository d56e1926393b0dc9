import type { Request } from "../core/driver.js";
import { compareBytes } from "../util/bytes.js";
import { type Compare, deleteRangeOp, type KeyValue, rangeOp, type TxnResponse } from "./client/index.js";
import { Compare_CompareResult as Result, Compare_CompareTarget as Target } from "./client/generated/kv.js";
import { maxTxnOperations } from "./capabilities.js";
import type { Cluster } from "./cluster.js";
import type { KeyRange, KeySpace } from "./key-space.js";
import { rangeIn } from "./reads.js";

/** What to delete next, and what must hold for it. */
interface Plan {
  readonly ranges: readonly KeyRange[];
  readonly condition: Compare;
  /** Whether the ranges are all there is. */
  readonly complete: boolean;
}

/**
 * Deletes all keys below a directory, and counts them. Those of lock contenders stay: taking them away would let
 * others into a lock that is held.
 *
 * A tree without leased keys has no contenders: it goes in one round trip. Otherwise the failed comparison brings the
 * keys, and the parts between contenders go in another, provided that no key came in between.
 */
export async function deleteTree(cluster: Cluster, directory: string, request: Request): Promise<number> {
  const { keys, client } = cluster;
  const tree = keys.below(directory);
  let plan: Plan = { ranges: [tree], condition: withoutLeases(tree), complete: true };
  let deleted = 0;
  for (;;) {
    const txn = {
      compare: [plan.condition],
      success: plan.ranges.map(deleteRangeOp),
      failure: [rangeOp({ ...tree, keysOnly: true })],
    };
    const answer = await cluster.writing(request, (bounds) => client.kv.txn(txn, bounds));
    if (answer.succeeded) {
      deleted += countDeleted(answer);
      if (plan.complete) return deleted;
      // Asks for what is left.
      plan = { ranges: [], condition: createdUntil(tree, 0n), complete: true };
      continue;
    }
    const ranges = rangesOfKeys(tree, rangeIn(answer.responses[0]).kvs, keys);
    plan = {
      // A tree with more locks than fit goes in several transactions.
      ranges: ranges.slice(0, maxTxnOperations),
      condition: createdUntil(tree, answer.header!.revision),
      complete: ranges.length <= maxTxnOperations,
    };
  }
}

/** The parts of a tree between the keys of locks, those with nothing in them left out. */
function rangesOfKeys(tree: KeyRange, kvs: readonly KeyValue[], keys: KeySpace): KeyRange[] {
  const ranges: KeyRange[] = [];
  let start = tree.key;
  let filled = false;
  for (const { key } of kvs) {
    const lock = keys.lockRange(key);
    if (lock === undefined) {
      filled = true;
    } else if (compareBytes(key, start) >= 0) {
      if (filled) ranges.push({ key: start, rangeEnd: lock.key });
      start = lock.rangeEnd;
      filled = false;
    }
  }
  if (filled) ranges.push({ key: start, rangeEnd: tree.rangeEnd });
  return ranges;
}

function withoutLeases({ key, rangeEnd }: KeyRange): Compare {
  return { result: Result.EQUAL, target: Target.LEASE, key, rangeEnd, targetUnion: { $case: "lease", lease: 0n } };
}

function createdUntil({ key, rangeEnd }: KeyRange, revision: bigint): Compare {
  const targetUnion = { $case: "createRevision", createRevision: revision + 1n } as const;
  return { result: Result.LESS, target: Target.CREATE, key, rangeEnd, targetUnion };
}

function countDeleted({ responses }: TxnResponse): number {
  let count = 0n;
  for (const { response } of responses) {
    if (response?.$case === "responseDeleteRange") count += response.responseDeleteRange.deleted;
  }
  return Number(count);
}
