import type { ReadAnswer, ReadOperation, Request } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import { ConsulError } from "./client/errors.js";
import type { ConsulHttp } from "./client/http.js";
import {
  type KvResult,
  Operation,
  type OperationLimit,
  transact,
  type TransactionOutcome,
  withoutPrefix,
} from "./client/transaction.js";
import { denied, storeError } from "./errors.js";
import { keyPath, pairOf } from "./pairs.js";

/** What reads need of their store. */
export interface ReadsHost {
  readonly http: ConsulHttp;
  readonly limit: OperationLimit;
}

type Mode = "stale" | "consistent";

/** Reads keys in one round trip: a single one by its own path, several as a transaction of gets. */
export async function readKeys(
  host: ReadsHost,
  operations: readonly ReadOperation[],
  mode: Mode,
  request: Request,
): Promise<ReadAnswer[]> {
  const [first] = operations;
  if (operations.length === 1) {
    const single = await readOne(host.http, first!, mode, request);
    if (single !== undefined) return [single.answer];
  }
  return readTogether(host, operations, mode, request);
}

/**
 * About a fifth faster than a transaction of one get. `undefined` when the token may not read the key: of that a
 * transaction says more, as it tells an absent key from one that is there.
 */
async function readOne(
  http: ConsulHttp,
  { type, key }: ReadOperation,
  mode: Mode,
  request: Request,
): Promise<{ answer: ReadAnswer } | undefined> {
  try {
    const reply = await http.request({
      method: "GET",
      path: keyPath(http, key),
      query: { [mode]: "" },
      accept: [404],
      ...request,
    });
    if (reply.status === 404) return { answer: answerOf(type, undefined) };
    const [result] = JSON.parse(reply.body) as KvResult[];
    return { answer: answerOf(type, pairOf(withoutPrefix(result!, http.keyPrefix))) };
  } catch (error) {
    if (error instanceof ConsulError && error.status === 403) return undefined;
    throw storeError(error, false);
  }
}

async function readTogether(
  { http, limit }: ReadsHost,
  operations: readonly ReadOperation[],
  mode: Mode,
  request: Request,
): Promise<ReadAnswer[]> {
  const answers = operations.map(({ type }) => answerOf(type, undefined));
  /** The places of those that were not answered yet. */
  let pending = [...operations.keys()];
  while (pending.length > 0) {
    const batch = pending.slice(0, limit.most);
    let outcome: TransactionOutcome;
    try {
      const gets = batch.map((at) => new Operation("get", operations[at]!.key));
      outcome = await transact(http, gets, { ...request, consistency: mode });
    } catch (error) {
      if (limit.learn(error)) continue;
      throw storeError(error, false);
    }
    pending = pending.slice(batch.length);
    if ("failures" in outcome) {
      // A get of one absent key refuses the whole transaction, naming it: the rest is asked for again.
      const absent = new Set(outcome.failures.map(({ index }) => index));
      pending = [...batch.filter((_, index) => !absent.has(index)), ...pending];
      continue;
    }
    // In the order of the gets, but what the token may not read is left out of the answer without a word.
    let next = 0;
    for (const at of batch) {
      const { type, key } = operations[at]!;
      const result = outcome.results[next];
      if (result?.Key === key) {
        answers[at] = answerOf(type, pairOf(result));
        next++;
      } else answers[at] = denied(key, undefined);
    }
  }
  return answers;
}

function answerOf(type: ReadOperation["type"], pair: KVPair | undefined): ReadAnswer {
  return type === "get" ? pair : pair !== undefined;
}
