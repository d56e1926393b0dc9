import { writeMeta } from "./meta.js";
import { freelistFlag, leafFlag, writePageHeader } from "./page-layout.js";
import { createSlab } from "./slab.js";
import type { Storage } from "./storage.js";

/** Two meta pages, an empty freelist at page 2, an empty root leaf at page 3. */
const pageCount = 4;

/**
 * Fills an empty storage as bbolt does. The meta pages, which make a database of it, come last: until both pages that they
 * point to are durable a power failure leaves something that `isUnfinished` knows.
 */
export async function createDatabase(
  storage: Storage,
  { pageSize, initialSize }: { readonly pageSize: number; readonly initialSize: number },
): Promise<void> {
  const image = newDatabase(pageSize);
  storage.write(2 * pageSize, [image.subarray(2 * pageSize)]);
  await storage.sync();
  storage.write(0, [image.subarray(0, 2 * pageSize)]);
  await storage.sync();
  // Room for pages to come holds nothing that a power failure could take.
  if (initialSize > image.length) storage.resize(initialSize);
}

/**
 * Whether the storage is empty, or holds no more than what a power failure can leave of `createDatabase`: some of the bytes
 * that it writes and zeros in place of the rest, in meta page 0 among them, so that nothing was ever stored there.
 */
export function isUnfinished(storage: Storage, pageSize: number): boolean {
  const size = storage.size();
  if (size === 0) return true;
  if (size > pageCount * pageSize) return false;
  const content = new Uint8Array(size);
  if (storage.read(0, content) < size) return false;
  const image = newDatabase(pageSize);
  const isWhole = [0, pageSize].some((at) => startsLike(content.subarray(at), image.subarray(at), metaBytes));
  return !isWhole && content.every((byte, at) => byte === 0 || byte === image[at]);
}

/** The page header and the record of a meta page. */
const metaBytes = 80;

function startsLike(content: Uint8Array, image: Uint8Array, length: number): boolean {
  return content.length >= length && image.subarray(0, length).every((byte, at) => content[at] === byte);
}

/** The bytes of an empty database. */
function newDatabase(pageSize: number): Uint8Array {
  const { bytes, words } = createSlab(pageCount * pageSize);
  for (const txid of [0, 1]) {
    writeMeta(bytes.subarray(txid * pageSize, (txid + 1) * pageSize), {
      pageSize,
      root: 3,
      sequenceLow: 0,
      sequenceHigh: 0,
      freelist: 2,
      highWater: pageCount,
      txid,
    });
  }
  writePageHeader(words, (2 * pageSize) >>> 2, 2, freelistFlag, 0, 0);
  writePageHeader(words, (3 * pageSize) >>> 2, 3, leafFlag, 0, 0);
  return bytes;
}
