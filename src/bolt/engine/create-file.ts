import { writeMeta } from "./meta.js";
import { freelistFlag, leafFlag, writePageHeader } from "./page.js";
import { createSlab } from "./slab.js";
import type { Storage } from "./storage.js";

/** Fills an empty storage as bbolt does: two meta pages, an empty freelist at page 2, an empty root leaf at page 3. */
export async function createDatabase(
  storage: Storage,
  options: { readonly pageSize: number; readonly initialSize: number },
): Promise<void> {
  const { pageSize, initialSize } = options;
  const { bytes, words } = createSlab(4 * pageSize);
  for (const txid of [0, 1]) {
    writeMeta(bytes.subarray(txid * pageSize, (txid + 1) * pageSize), {
      pageSize,
      root: 3,
      sequenceLow: 0,
      sequenceHigh: 0,
      freelist: 2,
      highWater: 4,
      txid,
    });
  }
  writePageHeader(words, (2 * pageSize) >>> 2, 2, freelistFlag, 0, 0);
  writePageHeader(words, (3 * pageSize) >>> 2, 3, leafFlag, 0, 0);
  storage.write(0, [bytes]);
  if (initialSize > bytes.length) storage.resize(initialSize);
  await storage.sync();
}
