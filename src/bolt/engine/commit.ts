import type { Bucket } from "./bucket.js";
import { EngineError, messageOf } from "./errors.js";
import type { Meta } from "./meta.js";
import type { PageWriter } from "./page-writer.js";
import type { Pager } from "./pager.js";

/** What a commit starts from. */
export interface CommitInput {
  readonly pager: Pager;
  readonly writer: PageWriter;
  /** The root bucket with the transaction's changes. */
  readonly root: Bucket;
  /** How many pages it edited. */
  readonly edited: { readonly leaves: number; readonly branches: number };
  /** The committed state that the changes are over, and how many pages its freelist takes. */
  readonly meta: Meta;
  readonly freelistPages: number;
  readonly noFreelistSync: boolean;
  readonly noSync: boolean;
}

export interface CommitResult {
  readonly meta: Meta;
  readonly freelistPages: number;
}

/**
 * Makes a transaction durable: pages, sync, meta page, sync. The old state stays whole on disk until the new meta page
 * is, so power may fail at any point. Throws an `EngineError` whose `outcome` says what is known.
 */
export async function commit(input: CommitInput): Promise<CommitResult> {
  const { pager, writer, noSync } = input;
  const result = prepare(input);
  try {
    await writer.writePages(noSync);
    if (!noSync) await pager.storage.sync();
  } catch (cause) {
    throw commitError(pager, "cannot write the transaction", "not-applied", cause);
  }
  try {
    writer.writeMeta(result.meta);
    if (!noSync) await pager.storage.sync();
  } catch (cause) {
    await withdraw(input, cause);
  }
  writer.publish();
  return result;
}

/** Turns the changes into pages, in memory. */
function prepare({ root, edited, writer, meta, freelistPages, noFreelistSync }: CommitInput): CommitResult {
  writer.prepareFor(edited.leaves, edited.branches);
  const rootId = root.write(writer);
  if (meta.freelist !== undefined) writer.freePages(meta.freelist, freelistPages);
  writer.checkFreed();
  const freelist = noFreelistSync ? undefined : writer.addFreelist();
  return {
    meta: { ...meta, root: rootId, freelist: freelist?.id, highWater: writer.highWater, txid: meta.txid + 1 },
    freelistPages: freelist?.count ?? 0,
  };
}

/**
 * The new meta page may or may not have reached the disk. Its place is written over with the old state, under a lower
 * transaction id; when that holds, the transaction certainly did not happen.
 */
async function withdraw({ pager, writer, meta }: CommitInput, cause: unknown): Promise<never> {
  try {
    writer.writeMeta({ ...meta, txid: meta.txid - 1 });
    await pager.storage.sync();
  } catch {
    throw commitError(pager, "the transaction may or may not be written", "unknown", cause);
  }
  throw commitError(pager, "cannot write the transaction's meta page", "not-applied", cause);
}

function commitError(pager: Pager, what: string, outcome: "not-applied" | "unknown", cause: unknown): EngineError {
  const { path } = pager.storage;
  return new EngineError("IO", `${path}: ${what}: ${messageOf(cause)}`, { path, outcome, cause });
}
