/**
 * The layout of a page, as bbolt's page.go (file format version 2) has it. All numbers are little-endian.
 *
 *   header   u64 id, u16 flags, u16 count, u32 overflow (how many pages follow that belong to this one)
 *   leaf     count * (u32 flags, u32 pos, u32 key size, u32 value size), then the keys and values
 *   branch   count * (u32 pos, u32 key size, u64 page id), then the keys
 *
 * `pos` counts from the start of its own element to the key; a value follows its key directly.
 */

export const pageHeaderSize = 16;
/** Branch and leaf elements are of the same size. */
export const elementSize = 16;

export const branchFlag = 0x01;
export const leafFlag = 0x02;
export const metaFlag = 0x04;
export const freelistFlag = 0x10;

/** In a leaf element's flags: the value is a nested bucket. */
export const bucketFlag = 0x01;

/** Longest key, and longest value, in bytes. */
export const maxKeySize = 32_768;
export const maxValueSize = 2 ** 31 - 2;

const highWord = 2 ** 32;
let pagesMade = 0;

/** A branch or leaf page in memory. Its bytes never change, so views of them stay true for as long as they are held. */
export class Page {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** The same bytes as 32-bit words: what every element header is made of. */
  readonly words: Uint32Array;
  readonly isLeaf: boolean;
  readonly count: number;
  readonly overflow: number;

  /** Tells one image of a page from another with the same id. */
  readonly serial: number;
  /** Under which image and index this page's keys were last found in range. */
  parentSerial = -1;
  parentIndex = -1;

  /** For the page cache: used since the clock hand last passed by, and the place in its ring. */
  referenced = true;
  slot = -1;

  /** `bytes` must start on a multiple of four in its buffer and be whole pages long (or an inline bucket's page). */
  constructor(id: number, bytes: Uint8Array) {
    this.id = id;
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    this.isLeaf = (bytes[8]! & leafFlag) !== 0;
    this.count = bytes[10]! | (bytes[11]! << 8);
    this.overflow = this.words[3]!;
    pagesMade = (pagesMade + 1) & 0x3fff_ffff;
    this.serial = pagesMade;
  }

  keyOffset(index: number): number {
    return pageHeaderSize + elementSize * index + this.words[4 * index + (this.isLeaf ? 5 : 4)]!;
  }

  keyLength(index: number): number {
    return this.words[4 * index + (this.isLeaf ? 6 : 5)]!;
  }

  valueLength(index: number): number {
    return this.words[4 * index + 7]!;
  }

  /** A leaf element's flags. */
  flags(index: number): number {
    return this.words[4 * index + 4]!;
  }

  /** The page that a branch element points to. */
  childId(index: number): number {
    const at = 4 * index + 6;
    return this.words[at + 1]! * highWord + this.words[at]!;
  }

  key(index: number): Uint8Array {
    const { buffer, byteOffset } = this.bytes;
    return new Uint8Array(buffer, byteOffset + this.keyOffset(index), this.keyLength(index));
  }

  value(index: number): Uint8Array {
    const { buffer, byteOffset } = this.bytes;
    const at = 4 * index + 5;
    const keyLength = this.words[at + 1]!;
    const offset = pageHeaderSize + elementSize * index + this.words[at]! + keyLength;
    return new Uint8Array(buffer, byteOffset + offset, this.words[at + 2]!);
  }

  /** The index of `key` in a leaf, or, where it is absent, `~` of the index it would have. */
  findLeaf(key: Uint8Array): number {
    const { words, bytes } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = 4 * middle + 5;
      const offset = pageHeaderSize + elementSize * middle + words[at]!;
      const order = compareRange(bytes, offset, words[at + 1]!, key);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** The index of the branch element under which `key` belongs: the last one not above it, or the first. */
  findBranch(key: Uint8Array): number {
    const { words, bytes } = this;
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = 4 * middle + 4;
      const offset = pageHeaderSize + elementSize * middle + words[at]!;
      const order = compareRange(bytes, offset, words[at + 1]!, key);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? 0 : low - 1;
  }
}

/** Orders the `length` bytes at `offset` against `key`, as unsigned bytes, shorter first. */
export function compareRange(bytes: Uint8Array, offset: number, length: number, key: Uint8Array): number {
  const keyLength = key.length;
  const shared = length < keyLength ? length : keyLength;
  for (let at = 0; at < shared; at++) {
    const difference = bytes[offset + at]! - key[at]!;
    if (difference !== 0) return difference;
  }
  return length - keyLength;
}

/** Orders two ranges of bytes, as unsigned bytes, shorter first. */
export function compareRanges(
  left: Uint8Array,
  leftOffset: number,
  leftLength: number,
  right: Uint8Array,
  rightOffset: number,
  rightLength: number,
): number {
  const shared = leftLength < rightLength ? leftLength : rightLength;
  for (let at = 0; at < shared; at++) {
    const difference = left[leftOffset + at]! - right[rightOffset + at]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

/** Writes a page header. */
export function writePageHeader(words: Uint32Array, id: number, flags: number, count: number, overflow: number): void {
  words[0] = id % highWord;
  words[1] = Math.floor(id / highWord);
  words[2] = flags | (count << 16);
  words[3] = overflow;
}

/** The 64-bit number at word `at`; exact below 2^53. */
export function readUint64(words: Uint32Array, at: number): number {
  return words[at + 1]! * highWord + words[at]!;
}

export function writeUint64(words: Uint32Array, at: number, value: number): void {
  words[at] = value % highWord;
  words[at + 1] = Math.floor(value / highWord);
}

/** What a page's flags call it, for messages. */
export function pageKind(flags: number): string {
  if (flags === branchFlag) return "branch";
  if (flags === leafFlag) return "leaf";
  if (flags === metaFlag) return "meta";
  if (flags === freelistFlag) return "freelist";
  return `unknown (flags 0x${flags.toString(16)})`;
}
