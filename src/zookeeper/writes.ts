import type { DeleteOperation, PutOperation, Request, WriteAnswer, WriteOperation } from "../core/driver.js";
import { isStoreError, StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import {
  BadVersionError,
  MultiError,
  type MultiOperation,
  type MultiReply,
  type MultiResult,
  NoNodeError,
  NotEmptyError,
  type RequestOptions,
  type Stat,
} from "./client/index.js";
import { applyTransaction, noteWritten } from "./commit.js";
import { createKey } from "./create-key.js";
import type { Ensemble } from "./ensemble.js";
import { halfDone, storeError } from "./errors.js";
import { conflict, isKey, mzxidOf, revisionOf, versionOf } from "./nodes.js";
import { guardOf } from "./paths.js";
import { parentsBelowBase, pruneEmpty, pruneRead } from "./prune.js";

/**
 * Writes keys in one round trip where their nodes are as they mostly are; the others go the way of `applyTransaction`.
 * Everything is sent at once. Puts of keys that were there lately travel as one transaction, which is refused as a whole
 * when one of them fails; then each is sent alone, so that none suffers for another.
 */
export async function writeKeys(
  ensemble: Ensemble,
  operations: readonly WriteOperation[],
  request: Request,
): Promise<WriteAnswer[]> {
  if (operations.length === 1) return [await writeOne(ensemble, operations[0]!, request)];
  const known = operations.filter((operation): operation is PutOperation => isPlainSet(ensemble, operation));
  const sets = known.length > 1 ? setTogether(ensemble, known, request) : undefined;
  if (sets !== undefined && known.length === operations.length) {
    // The common case, without a promise for each, and nothing learnt of the keys.
    const stats = await ensemble.writing(request, () => sets);
    const plain = stats?.every((stat) => stat?.isEphemeral === false);
    if (plain === true) return known.map(({ key, value }, at) => new KVPair(key, value, revisionOf(stats![at]!)));
  }
  const places = new Map<WriteOperation, number>(known.map((put, at) => [put, at]));
  const ends = await Promise.allSettled(
    operations.map(async (operation) => {
      const place = places.get(operation);
      const stat = place === undefined ? undefined : (await sets)?.[place];
      if (stat === undefined) return writeOne(ensemble, operation, request);
      return settled(ensemble, operation as PutOperation, stat, request);
    }),
  );
  const answers = ends.map((end) =>
    end.status === "fulfilled" ? end.value : storeError(end.reason, ensemble.endpoint, true),
  );
  // Where nothing was done the core sends all of them again.
  if (answers.every(isUntouched)) throw answers[0];
  return answers;
}

function isUntouched(answer: WriteAnswer): answer is StoreError {
  return isStoreError(answer, "UNREACHABLE") && answer.outcome === "not-applied";
}

function isPlainSet({ recent }: Ensemble, { type, key, expected }: WriteOperation): boolean {
  return type === "put" && expected === undefined && recent.has(key);
}

/** What puts made of their nodes, in one transaction; `undefined` when the server refused it. */
async function setTogether(
  ensemble: Ensemble,
  puts: readonly PutOperation[],
  request: Request,
): Promise<(Stat | undefined)[] | undefined> {
  const operations = puts.map(
    ({ key, value }): MultiOperation => ({
      type: "setData",
      path: ensemble.paths.of(key),
      data: value,
    }),
  );
  let reply: MultiReply;
  try {
    reply = await ensemble.client.multi(operations, ensemble.bounds(request));
  } catch (error) {
    if (error instanceof MultiError) return undefined;
    throw error;
  }
  return reply.results.map((result) => (result.type === "setData" ? result.stat : undefined));
}

function writeOne(ensemble: Ensemble, operation: WriteOperation, request: Request): Promise<KVPair | boolean> {
  return ensemble.writing(request, (bounds) => {
    if (operation.type === "delete") return deleteKey(ensemble, operation, request, bounds);
    return operation.expected === undefined
      ? putAnyway(ensemble, operation, request, bounds)
      : putIf(ensemble, operation, request, bounds);
  });
}

/** Any write, whatever the node is like, in two round trips or more. */
async function writeCarefully(
  ensemble: Ensemble,
  operation: WriteOperation,
  request: Request,
): Promise<KVPair | boolean> {
  const { key, expected } = operation;
  const checks = expected === undefined ? [] : [{ key, expected }];
  const { puts, deleted } = await applyTransaction(ensemble, { checks, writes: [operation] }, request);
  return puts[0]?.pair ?? deleted[0]!;
}

async function putAnyway(
  ensemble: Ensemble,
  put: PutOperation,
  request: Request,
  bounds: RequestOptions,
): Promise<KVPair | boolean> {
  const { client, paths, recent, ephemeral } = ensemble;
  const path = paths.of(put.key);
  if (ephemeral.has(put.key)) return writeCarefully(ensemble, put, request);
  const set = absentAsUndefined(client.setData(path, put.value, bounds));
  let stat: Stat | undefined;
  if (recent.has(put.key)) {
    stat = (await set)?.stat;
  } else {
    // Of a key that may be new both are sent, and one of the two does it. One that is there costs the server less alone.
    const created = refusedAsUndefined(createKey(ensemble, path, put.value, bounds));
    const [whenThere, whenNew] = await Promise.all([set, created]);
    stat = whenThere?.stat ?? whenNew;
  }
  if (stat !== undefined) return settled(ensemble, put, stat, request);
  recent.delete(put.key);
  return writeCarefully(ensemble, put, request);
}

async function putIf(
  ensemble: Ensemble,
  put: PutOperation,
  request: Request,
  bounds: RequestOptions,
): Promise<KVPair | boolean> {
  const { key, value, expected } = put;
  const path = ensemble.paths.of(key);
  let stat: Stat | undefined;
  if (expected === "absent") {
    if (!ensemble.recent.has(key)) stat = await refusedAsUndefined(createKey(ensemble, path, value, bounds));
  } else if (!ensemble.ephemeral.has(key)) {
    const version = versionOf(expected!.revision);
    const result = await guarded(ensemble, put, { type: "setData", path, data: value, version }, bounds);
    if (result?.type === "setData") stat = result.stat;
  }
  return stat === undefined ? writeCarefully(ensemble, put, request) : settled(ensemble, put, stat, request);
}

async function deleteKey(
  ensemble: Ensemble,
  operation: DeleteOperation,
  request: Request,
  bounds: RequestOptions,
): Promise<KVPair | boolean> {
  const { client, paths } = ensemble;
  const { key, expected } = operation;
  const path = paths.of(key);
  ensemble.forget(key);
  const parents = parentsBelowBase(ensemble, [path]);
  if (expected !== undefined && expected !== "absent") {
    const version = versionOf(expected.revision);
    const result = await guarded(ensemble, operation, { type: "delete", path, version }, bounds);
    if (result === undefined) return writeCarefully(ensemble, operation, request);
    await pruneEmpty(ensemble, parents, bounds);
    return true;
  }
  // What was there is read in the same breath, and what is left above. Those may fail: what became of the key, only the
  // delete can tell.
  const before = client.getData(path, bounds).catch(() => undefined);
  const deleted = absentAsUndefined(client.delete(path, bounds)).catch((error: unknown) => {
    if (error instanceof NotEmptyError) return "has children" as const;
    throw error;
  });
  const reads = parents.map((parent) => ({ type: "getData", path: parent }) as const);
  const above = parents.length === 0 ? [] : client.multiRead(reads, bounds).catch(() => []);
  const [node, end, nodesAbove] = await Promise.all([before, deleted, above]);
  if (end === "has children") return writeCarefully(ensemble, operation, request);
  if (end === undefined) return false;
  await pruneRead(ensemble, parents, nodesAbove, bounds);
  return node === undefined || isKey(node);
}

/**
 * Carries out an operation on a version where the guard that is known makes that a fair comparison; `undefined` when it
 * does not, or another hindrance wants a closer look. Throws `KEY_MODIFIED` when the comparison fails.
 */
async function guarded(
  ensemble: Ensemble,
  { key, expected }: WriteOperation,
  operation: MultiOperation,
  bounds: RequestOptions,
): Promise<MultiResult | undefined> {
  if (expected === undefined || expected === "absent") return undefined;
  const { path } = operation;
  const version = ensemble.guards.versionFor(path, mzxidOf(expected.revision));
  if (version === undefined) return undefined;
  try {
    const { results } = await ensemble.multi([{ type: "check", path: guardOf(path), version }, operation], bounds);
    return results[1];
  } catch (error) {
    if (!(error instanceof MultiError)) throw error;
    const { index, failure } = error;
    if (index === 0 || failure instanceof NotEmptyError) return undefined;
    if (failure instanceof BadVersionError || failure instanceof NoNodeError) throw conflict(key, expected);
    throw error;
  }
}

/** The pair of a put that was carried out. */
function written(ensemble: Ensemble, { key, value }: PutOperation, stat: Stat): KVPair {
  noteWritten(ensemble, key, stat);
  return new KVPair(key, value, revisionOf(stat));
}

/** The pair of a put that was carried out, once the key has no ttl any more. */
async function settled(ensemble: Ensemble, put: PutOperation, stat: Stat, request: Request): Promise<KVPair> {
  const pair = written(ensemble, put, stat);
  if (!stat.isEphemeral) return pair;
  return takeTtl(ensemble, put, pair, request).catch((error: unknown) => {
    throw halfDone(error, ensemble.endpoint, "when the key had been written but not yet made permanent");
  });
}

/** Replaces the node of a key with a ttl that was just written, by one that stays. */
async function takeTtl(ensemble: Ensemble, put: PutOperation, pair: KVPair, request: Request): Promise<KVPair> {
  const { key } = put;
  const checks = [{ key, expected: { revision: pair.revision } }];
  try {
    const { puts } = await applyTransaction(ensemble, { checks, writes: [put] }, request);
    return puts[0]!.pair;
  } catch (error) {
    if (!isStoreError(error, "KEY_MODIFIED")) throw error;
  }
  // Written by another since: then that is what counts. Gone: deleted by another, or with its ttl's session.
  const { stat: now } = await ensemble.client.exists(ensemble.paths.of(key), ensemble.bounds(request));
  if (now !== undefined) return pair;
  throw new StoreError("BACKEND", "the key's session ended", { key });
}

async function absentAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

async function refusedAsUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MultiError) return undefined;
    throw error;
  }
}
