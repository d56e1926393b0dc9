import type { Request, WriteAnswer, WriteOperation } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import type { ConsulHttp } from "./client/http.js";
import {
  hasResult,
  type KvOperation,
  type KvResult,
  type OperationLimit,
  transact,
  type TransactionOutcome,
} from "./client/transaction.js";
import { storeError } from "./errors.js";
import { type OwnLeases, Step, stepOf, type Verdict } from "./write-steps.js";

/** What writes need of their store. */
export interface WritesHost {
  readonly http: ConsulHttp;
  readonly limit: OperationLimit;
  readonly ownLeases: OwnLeases;
}

/** Steps that are sent together; `ends[n]` is how many operations step n and those before it have. */
interface Batch {
  readonly steps: readonly Step[];
  readonly operations: readonly KvOperation[];
  readonly ends: readonly number[];
}

/**
 * Carries out writes together. A transaction that is refused did nothing: what it names gets its answer, and the rest is
 * sent again. So is what takes another step.
 */
export async function writeTogether(
  host: WritesHost,
  writes: readonly WriteOperation[],
  request: Request,
): Promise<WriteAnswer[]> {
  const answers: WriteAnswer[] = [];
  let applied = false;
  let pending = writes.map((write, at) => stepOf(write, at, host.ownLeases));
  while (pending.length > 0) {
    const batch = batchOf(pending, host.limit.most);
    let outcome: TransactionOutcome;
    try {
      outcome = await transact(host.http, batch.operations, request);
    } catch (error) {
      if (host.limit.learn(error)) continue;
      if (!applied) throw error;
      // Some writes were carried out by now, so this is not about all of them: they must not be sent again.
      return notReached(pending, batch.steps.length, storeError(error, true), answers);
    }
    applied ||= "results" in outcome;
    const again = settle(batch, outcome, answers);
    pending = [...again, ...pending.slice(batch.steps.length)];
  }
  return answers;
}

/** The transaction with the first of these failed, and the others were not sent. */
function notReached(pending: readonly Step[], sent: number, reason: StoreError, answers: WriteAnswer[]): WriteAnswer[] {
  for (const [index, { at, applied }] of pending.entries()) {
    answers[at] = reason.with({ outcome: applied ? "unknown" : index < sent ? reason.outcome : "not-applied" });
  }
  return answers;
}

/**
 * As many of the first as fit into a transaction. Its own index is that of a write which surely changes something: the first
 * one that could not tell.
 */
function batchOf(pending: readonly Step[], limit: number): Batch {
  const steps: Step[] = [];
  const operations: KvOperation[] = [];
  const ends: number[] = [];
  let anchored = false;
  for (const plain of pending) {
    const anchor: Step | undefined = anchored ? undefined : plain.anchor;
    const step = anchor ?? plain;
    step.addTo(operations);
    if (operations.length > limit) break;
    anchored ||= anchor !== undefined;
    steps.push(step);
    ends.push(operations.length);
  }
  operations.length = ends.at(-1) ?? 0;
  return { steps, operations, ends };
}

/** Notes the answers there are; gives what has to be sent again. */
function settle({ steps, operations, ends }: Batch, outcome: TransactionOutcome, answers: WriteAnswer[]): Step[] {
  const again: Step[] = [];
  const index = "results" in outcome ? Math.max(...outcome.results.map(({ ModifyIndex }) => ModifyIndex)) : 0;
  let from = 0;
  let result = 0;
  for (const [n, step] of steps.entries()) {
    const to = ends[n]!;
    let verdict: Verdict;
    if ("results" in outcome) {
      let last: KvResult | undefined;
      for (let at = from; at < to; at++) if (hasResult(operations[at]!)) last = outcome.results[result++];
      verdict = step.carriedOut(last, index);
    } else {
      const failure = outcome.failures.find((each) => each.index >= from && each.index < to);
      verdict = failure === undefined ? step : step.refused(failure.what);
    }
    if (verdict instanceof Step) again.push(verdict);
    else answers[step.at] = verdict;
    from = to;
  }
  return again;
}
