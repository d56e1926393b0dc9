import { writeMeta } from "./meta.js";
import { freelistFlag, leafFlag, writePageHeader } from "./page.js";
import type { Storage } from "./storage.js";

/** Fills an empty storage as bbolt does: two meta pages, an empty freelist at page 2, an empty root leaf at page 3. */
export async function createDatabase(storage: Storage, pageSize: number): Promise<void> {
  const bytes = new Uint8Array(4 * pageSize);
  const pageAt = (id: number): Uint8Array => bytes.subarray(id * pageSize, (id + 1) * pageSize);
  for (const txid of [0, 1]) {
    writeMeta(pageAt(txid), { pageSize, root: 3, sequenceLow: 0, sequenceHigh: 0, freelist: 2, highWater: 4, txid });
  }
  writePageHeader(wordsOf(pageAt(2)), 2, freelistFlag, 0, 0);
  writePageHeader(wordsOf(pageAt(3)), 3, leafFlag, 0, 0);
  storage.write(0, [bytes]);
  await storage.sync();
}

function wordsOf(page: Uint8Array): Uint32Array {
  return new Uint32Array(page.buffer, page.byteOffset, page.length >>> 2);
}
