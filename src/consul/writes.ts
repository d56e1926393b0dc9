import type { DeleteOperation, PutOperation, Request, WriteAnswer, WriteOperation } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import type { ConsulHttp } from "./client/http.js";
import { refusal, storeError } from "./errors.js";
import {
  hasResult,
  type KvOperation,
  type KvResult,
  maxTransactionOperations,
  transact,
  type TransactionOutcome,
} from "./client/transaction.js";

/** A write on its way: its operations, and what to make of their results. */
interface Step {
  readonly operations: readonly KvOperation[];
  /** The answer when the transaction was carried out. */
  readonly answer: (results: readonly KvResult[]) => WriteAnswer;
  /** The answer when one of these operations was the reason for the refusal. */
  readonly refused: (what: string) => WriteAnswer;
}

/**
 * Carries out writes together. A transaction that is refused did nothing: what it names gets its answer, and the rest is
 * sent again.
 */
export async function writeTogether(
  http: ConsulHttp,
  writes: readonly WriteOperation[],
  request: Request,
): Promise<WriteAnswer[]> {
  const answers: WriteAnswer[] = [];
  let applied = false;
  let pending: Pending[] = writes.map((write, at) => ({ at, step: stepOf(write) }));
  while (pending.length > 0) {
    const batch = takeWithin(pending, maxTransactionOperations);
    const operations = batch.flatMap(({ step }) => step.operations);
    let outcome: TransactionOutcome;
    try {
      outcome = await transact(http, operations, request);
    } catch (error) {
      if (!applied) throw error;
      // Some writes were carried out by now, so this is not about all of them: they must not be sent again.
      return notReached(pending, batch.length, storeError(error, true), answers);
    }
    applied ||= "results" in outcome;
    const again = settle(batch, outcome, answers);
    pending = [...again, ...pending.slice(batch.length)];
  }
  return answers;
}

/** The transaction with the first of these failed, and the others were not sent. */
function notReached(pending: Pending[], sent: number, reason: StoreError, answers: WriteAnswer[]): WriteAnswer[] {
  for (const [index, { at }] of pending.entries()) {
    answers[at] = index < sent ? reason : reason.with({ outcome: "not-applied" });
  }
  return answers;
}

interface Pending {
  readonly at: number;
  readonly step: Step;
}

function takeWithin(pending: readonly Pending[], limit: number): Pending[] {
  let operations = 0;
  return pending.filter(({ step }) => {
    operations += step.operations.length;
    return operations <= limit;
  });
}

/** Notes the answers there are; gives what has to be sent again. */
function settle(batch: Pending[], outcome: TransactionOutcome, answers: WriteAnswer[]): Pending[] {
  const again: Pending[] = [];
  let from = 0;
  let fromResult = 0;
  for (const pending of batch) {
    const { operations } = pending.step;
    const to = from + operations.length;
    if ("results" in outcome) {
      const toResult = fromResult + operations.filter(hasResult).length;
      answers[pending.at] = pending.step.answer(outcome.results.slice(fromResult, toResult));
      fromResult = toResult;
    } else {
      const failure = outcome.failures.find(({ index }) => index >= from && index < to);
      if (failure === undefined) again.push(pending);
      else answers[pending.at] = pending.step.refused(failure.what);
    }
    from = to;
  }
  return again;
}

function stepOf(write: WriteOperation): Step {
  return write.type === "put" ? putStep(write) : deleteStep(write);
}

/**
 * A put deletes the key first, in the same transaction. A set alone would keep the session that a put with a ttl gave the
 * key, which would still go with it, and a set of the value that is there already changes nothing: no new index, and no
 * watch wakes.
 */
function putStep(write: PutOperation): Step {
  const { key, value, expected } = write;
  const set: KvOperation = { verb: "set", key, value };
  // What is not there has no session to lose.
  const replace: KvOperation[] = expected === "absent" ? [set] : [{ verb: "delete", key }, set];
  return {
    operations: [...checkOf(write), ...replace],
    answer: (results) => new KVPair(key, value, BigInt(results.at(-1)!.ModifyIndex)),
    refused: (what) => comparisonFailed(write, what),
  };
}

function deleteStep(write: DeleteOperation): Step {
  const { key, expected } = write;
  // `delete-cas` says success for a missing key, and a plain delete too: so a check, or a get, goes before it.
  const guard: KvOperation[] = expected === undefined ? [{ verb: "get", key }] : checkOf(write);
  return {
    operations: [...guard, { verb: "delete", key }],
    answer: () => true,
    refused: (what) => (expected === undefined ? (refusal(what, key) ?? false) : comparisonFailed(write, what)),
  };
}

/** The operation that holds a transaction to what was expected, if anything. */
export function checkOf({ key, expected }: Pick<WriteOperation, "key" | "expected">): KvOperation[] {
  if (expected === undefined) return [];
  if (expected === "absent") return [{ verb: "check-not-exists", key }];
  return [{ verb: "check-index", key, index: expected.revision }];
}

/** Which comparison it was that did not hold. */
export function comparisonFailed(
  { key, expected }: Pick<WriteOperation, "key" | "expected">,
  what: string,
): StoreError {
  const reason = refusal(what, key);
  if (reason !== undefined) return reason;
  if (expected === undefined) return new StoreError("BACKEND", what, { key, outcome: "not-applied" });
  const details = { key, outcome: "not-applied" as const };
  if (expected === "absent") return new StoreError("KEY_EXISTS", "the key exists", details);
  return new StoreError("KEY_MODIFIED", "the key was changed or deleted since it was read", details);
}
