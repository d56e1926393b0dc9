import { corruptPage, EngineError } from "./errors.js";
import { metaFlag, pageHeaderSize, readUint64, writePageHeader, writeUint64 } from "./page-layout.js";

/** The number that says "no freelist is stored; find the free pages by walking the tree": 2^64 - 1. */
const noFreelist = 0xffff_ffff;

const magic = 0xed0c_daed;
const version = 2;
const minPageSize = 1024;
const maxPageSize = 65_536;

/** Bytes of the meta record, and of those that its checksum covers. */
const metaSize = 64;
const checkedSize = 56;

/** A meta page: where the tree and the freelist of one transaction start. There are two, written in turn. */
export interface Meta {
  readonly pageSize: number;
  /** The page id of the root bucket's tree. */
  readonly root: number;
  /** The root bucket's sequence, carried along: its low and high 32 bits. */
  readonly sequenceLow: number;
  readonly sequenceHigh: number;
  /** The first page of the stored freelist, undefined when it is not stored. */
  readonly freelist: number | undefined;
  /** The first page id that was never used. */
  readonly highWater: number;
  readonly txid: number;
}

/** FNV-1a with 64 bits, as two halves so that no big integers are needed. */
export function fnv1a64(bytes: Uint8Array): { low: number; high: number } {
  let low = 0x8422_2325;
  let high = 0xcbf2_9ce4;
  for (const byte of bytes) {
    low = (low ^ byte) >>> 0;
    // The prime is 2^40 + 0x1b3: one product of 41 bits, and the rest is shifts that fall off at 64 bits.
    const product = low * 0x1b3;
    high = (Math.imul(high, 0x1b3) + (low << 8) + Math.floor(product / 2 ** 32)) >>> 0;
    low = product >>> 0;
  }
  return { low, high };
}

/** Writes a meta page into `page`, which is a whole page of zeros. Its place follows from the transaction id. */
export function writeMeta(page: Uint8Array, meta: Meta, pageId = meta.txid % 2): void {
  const words = new Uint32Array(page.buffer, page.byteOffset, (pageHeaderSize + metaSize) >>> 2);
  writePageHeader(words, 0, pageId, metaFlag, 0, 0);
  words[4] = magic;
  words[5] = version;
  words[6] = meta.pageSize;
  words[7] = 0;
  writeUint64(words, 8, meta.root);
  words[10] = meta.sequenceLow;
  words[11] = meta.sequenceHigh;
  if (meta.freelist === undefined) words.fill(noFreelist, 12, 14);
  else writeUint64(words, 12, meta.freelist);
  writeUint64(words, 14, meta.highWater);
  writeUint64(words, 16, meta.txid);
  const { low, high } = fnv1a64(page.subarray(pageHeaderSize, pageHeaderSize + checkedSize));
  words[18] = low;
  words[19] = high;
}

/** Reads the meta page at the start of `page`, or says why it counts as not written. Look for faults with `findMetaFault`. */
export function readMeta(page: Uint8Array): Meta | string {
  if (page.length < pageHeaderSize + metaSize) return "is cut short";
  const copy = new Uint8Array(pageHeaderSize + metaSize);
  copy.set(page.subarray(0, copy.length));
  const words = new Uint32Array(copy.buffer);
  if (words[4] !== magic) return "does not carry BoltDB's magic number";
  if (words[5] !== version) return `is of file format version ${words[5]}, only ${version} is known`;
  const { low, high } = fnv1a64(copy.subarray(pageHeaderSize, pageHeaderSize + checkedSize));
  if (words[18] !== low || words[19] !== high) return "has a wrong checksum";
  return {
    pageSize: words[6]!,
    root: readUint64(words, 8),
    sequenceLow: words[10]!,
    sequenceHigh: words[11]!,
    freelist: words[12] === noFreelist && words[13] === noFreelist ? undefined : readUint64(words, 12),
    highWater: readUint64(words, 14),
    txid: readUint64(words, 16),
  };
}

/** What is impossible about a meta page whose checksum is right: no torn write does that. */
function findMetaFault(meta: Meta): string | undefined {
  const { pageSize, root, freelist, highWater } = meta;
  if (!isPageSize(pageSize)) return `has the impossible page size ${pageSize}`;
  if (!Number.isSafeInteger(highWater * pageSize) || highWater < 3) return `has the impossible page count ${highWater}`;
  if (!Number.isSafeInteger(meta.txid)) return "has an impossible transaction id";
  if (root < 2 || root >= highWater) return `points to root page ${root}, outside 2 to ${highWater - 1}`;
  if (freelist !== undefined && (freelist < 2 || freelist >= highWater)) {
    return `points to freelist page ${freelist}, outside 2 to ${highWater - 1}`;
  }
  return undefined;
}

/** Powers of two from 1 KiB to 64 KiB. */
export function isPageSize(pageSize: number): boolean {
  return pageSize >= minPageSize && pageSize <= maxPageSize && (pageSize & (pageSize - 1)) === 0;
}

/**
 * The newest meta page of a file that was written whole. Meta 0 is at the start and tells the page size; when it is torn,
 * meta 1 is looked for at every possible page size. Where the newest one says what cannot be, the file is damaged: the
 * older one is no answer, for it would hide transactions that were acknowledged.
 */
export function findMeta(path: string, read: (offset: number, into: Uint8Array) => number): Meta {
  const meta = newestWhole(path, (offset) => {
    const bytes = new Uint8Array(pageHeaderSize + metaSize);
    return readMeta(bytes.subarray(0, read(offset, bytes)));
  });
  const fault = findMetaFault(meta);
  if (fault !== undefined) throw corruptPage(path, meta.txid % 2, `is a meta page that ${fault}`);
  return meta;
}

function newestWhole(path: string, readAt: (offset: number) => Meta | string): Meta {
  const first = readAt(0);
  if (typeof first !== "string") {
    if (!isPageSize(first.pageSize)) return first;
    const second = readAt(first.pageSize);
    if (typeof second === "string") return first;
    return second.txid > first.txid ? second : first;
  }
  for (let pageSize = minPageSize; pageSize <= maxPageSize; pageSize *= 2) {
    const second = readAt(pageSize);
    if (typeof second !== "string" && second.pageSize === pageSize) return second;
  }
  const reason = `neither meta page can be read: meta page 0 ${first}. This is not a BoltDB file, or its start is lost`;
  throw new EngineError("CORRUPT", `${path}: ${reason}`, { path, pageId: 0 });
}
