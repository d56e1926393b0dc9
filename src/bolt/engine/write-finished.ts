import type { Storage } from "./storage.js";

/** Up to this many bytes are written at once, without the detour over another thread. */
const maxSyncBytes = 1024 * 1024;
/** Beyond that the disk gets this much at a time, while more is written. */
const earlySyncBytes = 4 * 1024 * 1024;

/** A page, or a run of freelist pages, to be written. */
export interface Finished {
  readonly id: number;
  readonly length: number;
  view(): Uint8Array;
}

/** Neighbours, to be written together. */
interface Piece {
  readonly offset: number;
  readonly chunks: readonly Uint8Array[];
  readonly length: number;
}

/**
 * Writes finished pages, neighbours together. Of many the first are synced while the rest is written, unless `noSync`; the
 * sync of them all is up to the caller.
 */
export async function writeFinished(
  storage: Storage,
  finished: Finished[],
  pageSize: number,
  noSync: boolean,
): Promise<void> {
  finished.sort((left, right) => left.id - right.id);
  const total = finished.reduce((sum, run) => sum + run.length, 0);
  const pieces = piecesOf(finished, pageSize, earlySyncBytes);
  if (total > maxSyncBytes) return writeLarge(storage, pieces, noSync);
  for (const { offset, chunks } of pieces) storage.write(offset, chunks);
}

/** What is to be written, in order, in pieces of little more than `most` bytes. */
function* piecesOf(finished: readonly Finished[], pageSize: number, most: number): Generator<Piece> {
  for (let from = 0; from < finished.length; ) {
    const first = finished[from]!.id;
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (from < finished.length && finished[from]!.id === first + length / pageSize && length < most) {
      const run = finished[from++]!;
      chunks.push(run.view());
      length += run.length;
    }
    yield { offset: first * pageSize, chunks, length };
  }
}

/** Has what is written synced in the background, so that the disk need not wait for the last of it. */
async function writeLarge(storage: Storage, pieces: Iterable<Piece>, noSync: boolean): Promise<void> {
  const failures: unknown[] = [];
  const syncs: Promise<unknown>[] = [];
  let unsynced = 0;
  try {
    for (const { offset, chunks, length } of pieces) {
      await storage.writeAsync(offset, chunks);
      unsynced += length;
      if (noSync || unsynced < earlySyncBytes) continue;
      syncs.push(storage.sync().catch((failure: unknown) => failures.push(failure)));
      unsynced = 0;
    }
  } finally {
    await Promise.all(syncs);
  }
  if (failures.length > 0) throw failures[0];
}
