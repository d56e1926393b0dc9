import type { Request, WriteAnswer, WriteOperation } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import type { ConsulHttp } from "./client/http.js";
import { hasResult, type OperationLimit, transact, type TransactionOutcome } from "./client/transaction.js";
import { storeError } from "./errors.js";
import { type OwnLeases, type Step, stepOf } from "./write-steps.js";

/** What writes need of their store. */
export interface WritesHost {
  readonly http: ConsulHttp;
  readonly limit: OperationLimit;
  readonly ownLeases: OwnLeases;
}

/** A write on its way; `at` is its place among the answers. */
interface Pending {
  readonly at: number;
  readonly step: Step;
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
  let pending: Pending[] = writes.map((write, at) => ({ at, step: stepOf(write, host.ownLeases) }));
  while (pending.length > 0) {
    const batch = anchored(takeWithin(pending, host.limit.most));
    const operations = batch.flatMap(({ step }) => step.operations);
    let outcome: TransactionOutcome;
    try {
      outcome = await transact(host.http, operations, request);
    } catch (error) {
      if (host.limit.learn(error)) continue;
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
  for (const [index, { at, step }] of pending.entries()) {
    const outcome = step.applied === true ? "unknown" : index < sent ? reason.outcome : "not-applied";
    answers[at] = reason.with({ outcome });
  }
  return answers;
}

function takeWithin(pending: readonly Pending[], limit: number): Pending[] {
  // One of them may become an anchor.
  let operations = pending.some(({ step }) => step.anchor !== undefined) ? 1 : 0;
  return pending.filter(({ step }) => {
    operations += step.operations.length;
    return operations <= limit;
  });
}

/** The transaction's own index is that of a write which surely changes something: the first one that could not tell. */
function anchored(batch: Pending[]): Pending[] {
  const first = batch.findIndex(({ step }) => step.anchor !== undefined);
  const pending = batch[first];
  return pending === undefined ? batch : batch.with(first, { at: pending.at, step: pending.step.anchor!() });
}

/** Notes the answers there are; gives what has to be sent again. */
function settle(batch: Pending[], outcome: TransactionOutcome, answers: WriteAnswer[]): Pending[] {
  const again: Pending[] = [];
  const index = "results" in outcome ? Math.max(...outcome.results.map(({ ModifyIndex }) => ModifyIndex)) : 0;
  let from = 0;
  let fromResult = 0;
  for (const { at, step } of batch) {
    const to = from + step.operations.length;
    if ("results" in outcome) {
      const toResult = fromResult + step.operations.filter(hasResult).length;
      note(at, step.carriedOut(outcome.results.slice(fromResult, toResult), index));
      fromResult = toResult;
    } else {
      const failure = outcome.failures.find((each) => each.index >= from && each.index < to);
      note(at, failure === undefined ? { next: step } : step.refused(failure.what));
    }
    from = to;
  }
  return again;

  function note(at: number, verdict: ReturnType<Step["refused"]>): void {
    if ("next" in verdict) again.push({ at, step: verdict.next });
    else answers[at] = verdict.answer;
  }
}
