import { readUint64, writeUint64 } from "./page-layout.js";
import { Page } from "./page.js";
import type { Pager } from "./pager.js";
import { createSlab, type Slab } from "./slab.js";
import { bucketHeaderSize, findInlineFault } from "./validate-page.js";

const highWord = 2 ** 32;

/** A bucket's counter, in its low and high 32 bits. */
export interface Sequence {
  sequenceLow: number;
  sequenceHigh: number;
}

/** A bucket as its parent stores it. */
export interface BucketHeader extends Sequence {
  /** The root page's id, 0 for an inline bucket. */
  rootId: number;
  /** An inline bucket's one page. */
  inline: Page | undefined;
}

/** Reads a bucket's value, found on page `pageId`, and checks it. */
export function readBucketHeader(pager: Pager, pageId: number, value: Uint8Array): BucketHeader {
  // A copy, for values lie at any offset and numbers are read at multiples of four.
  const slab = createSlab(Math.ceil(value.length / 4) * 4);
  slab.bytes.set(value);
  const { words } = slab;
  const header: BucketHeader = {
    rootId: readUint64(words, 0),
    sequenceLow: words[2]!,
    sequenceHigh: words[3]!,
    inline: undefined,
  };
  if (header.rootId === 0) {
    if (value.length < 2 * bucketHeaderSize) throw pager.corrupt(pageId, "has an inline bucket cut short");
    header.inline = new Page(0, slab, bucketHeaderSize, value.length - bucketHeaderSize);
    const fault = findInlineFault(header.inline);
    if (fault) throw pager.corrupt(pageId, `has a damaged inline bucket: its page ${fault}`);
  } else if (header.rootId < 2 || header.rootId >= pager.highWater) {
    throw pager.corrupt(pageId, `has a bucket rooted at page ${header.rootId}, outside 2 to ${pager.highWater - 1}`);
  }
  return header;
}

/** A bucket's value with its header written, and room for an inline page of `pageSize` bytes behind it. */
export function writeBucketHeader(header: BucketHeader, pageSize = 0): Slab & { readonly value: Uint8Array } {
  const { bytes, words } = createSlab(Math.ceil((bucketHeaderSize + pageSize) / 4) * 4);
  writeUint64(words, 0, header.rootId);
  words[2] = header.sequenceLow;
  words[3] = header.sequenceHigh;
  return { bytes, words, value: bytes.subarray(0, bucketHeaderSize + pageSize) };
}

export function readSequence({ sequenceHigh, sequenceLow }: Sequence): bigint {
  // One big integer where a number holds it.
  if (sequenceHigh < 2 ** 21) return BigInt(sequenceHigh * highWord + sequenceLow);
  return BigInt(sequenceHigh) * BigInt(highWord) + BigInt(sequenceLow);
}

/** `value` is from 0 to 2^64 - 1. */
export function writeSequence(sequence: Sequence, value: bigint): void {
  sequence.sequenceHigh = Number(value >> 32n);
  sequence.sequenceLow = Number(value & 0xffff_ffffn);
}

export function countUp(sequence: Sequence): void {
  sequence.sequenceLow = (sequence.sequenceLow + 1) >>> 0;
  if (sequence.sequenceLow === 0) sequence.sequenceHigh = (sequence.sequenceHigh + 1) >>> 0;
}
