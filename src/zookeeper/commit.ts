import type { Request, Transaction } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import {
  BadVersionError,
  errorFromCode,
  MultiError,
  type MultiOperation,
  type MultiReadResult,
  type MultiReply,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  type RequestOptions,
  ReadFailure,
  type Stat,
} from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { beforeWriting } from "./errors.js";
import { createGuard } from "./guard-nodes.js";
import { type Node, revisionOf } from "./nodes.js";
import { ancestorsOf, guardOf, isGuard } from "./paths.js";
import { type NodeMap, Plan } from "./plan.js";
import { pruneAbove } from "./prune.js";

/** What became of the writes of a transaction. */
export interface Applied {
  /** For each put its pair and the session that keeps it, at its place; `undefined` for deletes. */
  readonly puts: readonly ({ readonly pair: KVPair; readonly stat: Stat } | undefined)[];
  /** For each write, whether it deleted a key. */
  readonly deleted: readonly boolean[];
}

/**
 * Carries out any transaction: reads the nodes it concerns, plans for what they are, and plans again when others were
 * faster. `first` is done with it and before it; when that is refused, so is everything, with the server's word.
 */
export async function applyTransaction(
  ensemble: Ensemble,
  transaction: Transaction,
  request: Request,
  first: readonly MultiOperation[] = [],
): Promise<Applied> {
  const backoff = new Backoff({ initialMs: 1, maximumMs: 100 });
  return ensemble.writing(request, async () => {
    for (;;) {
      const bounds = ensemble.bounds(request);
      const nodes = await readNodes(ensemble, transaction, bounds);
      const plan = new Plan(ensemble, transaction, nodes);
      const operations = [...first, ...plan.operations];
      if (operations.length === 0 || isAnswered(transaction, plan))
        return appliedBy(ensemble, transaction, plan, undefined, 0);
      try {
        const reply = await ensemble.multi(operations, bounds);
        const applied = appliedBy(ensemble, transaction, plan, reply, first.length);
        await pruneAbove(ensemble, deletedPaths(ensemble, transaction, plan), bounds);
        return applied;
      } catch (error) {
        if (!(error instanceof MultiError) || error.index < first.length || !mayPlanAgain(error)) throw error;
        const { path } = operations[error.index]!;
        if (isGuard(path) && error.failure instanceof NoNodeError) await createGuard(ensemble, path, bounds);
      }
      await sleep(backoff.next(), { clock: ensemble.clock, signal: request.signal });
      if (ensemble.clock.now() >= request.deadline) {
        throw new StoreError("TIMEOUT", "others kept changing the keys first", { outcome: "not-applied" });
      }
    }
  });
}

/** A single delete of what is not there needs no transaction. */
function isAnswered({ checks, writes }: Transaction, { deletes }: Plan): boolean {
  return checks.length === 0 && writes.length === 1 && writes[0]!.type === "delete" && !deletes[0]!;
}

/** The server refused because a node is not as it was read. */
function mayPlanAgain({ failure }: MultiError): boolean {
  return (
    failure instanceof BadVersionError ||
    failure instanceof NoNodeError ||
    failure instanceof NodeExistsError ||
    failure instanceof NotEmptyError
  );
}

/** Guards are read before what they guard: what was created in between then is noticed. */
async function readNodes(
  ensemble: Ensemble,
  { checks, writes }: Transaction,
  bounds: RequestOptions,
): Promise<NodeMap> {
  const own = [...checks, ...writes].map(({ key }) => ensemble.paths.of(key));
  const paths = [...new Set([...own.map(guardOf), ...own.flatMap(ancestorsOf), ...own])];
  const reads = paths.map((path) => ({ type: "getData", path }) as const);
  let results: MultiReadResult[];
  try {
    [, results] = await Promise.all([ensemble.barrier(bounds), ensemble.client.multiRead(reads, bounds)]);
  } catch (error) {
    throw beforeWriting(error, ensemble.endpoint);
  }
  const nodes = new Map<string, Node>();
  for (const [at, result] of results.entries()) {
    const path = paths[at]!;
    if (result instanceof ReadFailure) {
      if (result.code !== NoNodeError.code) throw errorFromCode(result.code, { operation: "getData", path });
      nodes.set(path, undefined);
    } else if ("stat" in result) {
      nodes.set(path, result);
      if (isGuard(path)) ensemble.guards.learn(path, result.stat);
    }
  }
  return nodes;
}

function deletedPaths({ paths }: Ensemble, { writes }: Transaction, { deletes }: Plan): string[] {
  return writes.filter((_, at) => deletes[at]).map(({ key }) => paths.of(key));
}

function appliedBy(
  ensemble: Ensemble,
  { writes }: Transaction,
  plan: Plan,
  reply: MultiReply | undefined,
  offset: number,
): Applied {
  const puts = writes.map((write, at) => {
    const index = plan.resultOf(at);
    const result = index === undefined ? undefined : reply?.results[index + offset];
    if (write.type === "delete" || result?.type !== "setData") {
      ensemble.forget(write.key);
      return undefined;
    }
    noteWritten(ensemble, write.key, result.stat);
    return { pair: new KVPair(write.key, write.value, revisionOf(result.stat), write.ttlMs), stat: result.stat };
  });
  return { puts, deleted: plan.deletes };
}

/** Remembers how a key was left, for the next put of it. */
export function noteWritten({ recent, ephemeral }: Ensemble, key: string, { isEphemeral }: Stat): void {
  if (isEphemeral) {
    recent.delete(key);
    ephemeral.add(key);
  } else {
    recent.add(key);
    if (ephemeral.size > 0) ephemeral.delete(key);
  }
}
