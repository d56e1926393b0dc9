import type { Slab } from "./slab.js";

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
  // What every search reads stands first, so that it shares cache lines.
  /** The memory that it shares with other pages, as bytes and as words. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  /** The word that holds the first element's `pos`. */
  readonly #firstPos: number;
  /** The page's place in `bytes`. */
  readonly start: number;
  readonly count: number;
  readonly isLeaf: boolean;
  /** For the page cache: used since the clock hand last passed by. */
  referenced = true;
  /** Under which image and index this page's keys were last found in range. */
  parentSerial = -1;
  parentIndex = -1;
  /** Tells one image of a page from another with the same id. */
  readonly serial: number;
  readonly id: number;
  readonly length: number;
  readonly overflow: number;
  /** The place in the page cache's ring. */
  slot = -1;

  /** `start` must be a multiple of four, and `length` hold a header at least. */
  constructor(id: number, slab: Slab, start: number, length: number) {
    const { bytes, words } = slab;
    this.id = id;
    this.bytes = bytes;
    this.words = words;
    this.start = start;
    this.length = length;
    this.isLeaf = (bytes[start + 8]! & leafFlag) !== 0;
    this.count = bytes[start + 10]! | (bytes[start + 11]! << 8);
    this.overflow = words[(start >>> 2) + 3]!;
    this.#firstPos = (start >>> 2) + (this.isLeaf ? 5 : 4);
    pagesMade = (pagesMade + 1) & 0x3fff_ffff;
    this.serial = pagesMade;
  }

  /** All flags of the header. */
  get headerFlags(): number {
    return this.bytes[this.start + 8]! | (this.bytes[this.start + 9]! << 8);
  }

  /** The id in the header. */
  get storedId(): number {
    return readUint64(this.words, this.start >>> 2);
  }

  /** Where an element's key lies in `bytes`. */
  keyOffset(index: number): number {
    return this.start + pageHeaderSize + elementSize * index + this.words[this.#firstPos + 4 * index]!;
  }

  keyLength(index: number): number {
    return this.words[this.#firstPos + 4 * index + 1]!;
  }

  /** A leaf element's value length. */
  valueLength(index: number): number {
    return this.words[this.#firstPos + 4 * index + 2]!;
  }

  /** A leaf element's flags. */
  flags(index: number): number {
    return this.words[this.#firstPos + 4 * index - 1]!;
  }

  /** The page that a branch element points to. */
  childId(index: number): number {
    const word = this.#firstPos + 4 * index + 2;
    const high = this.words[word + 1]!;
    return high === 0 ? this.words[word]! : high * highWord + this.words[word]!;
  }

  key(index: number): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.keyOffset(index), this.keyLength(index));
  }

  value(index: number): Uint8Array {
    const word = this.#firstPos + 4 * index;
    const keyLength = this.words[word + 1]!;
    const offset = this.start + pageHeaderSize + elementSize * index + this.words[word]! + keyLength;
    return new Uint8Array(this.bytes.buffer, offset, this.words[word + 2]);
  }

  /** The whole page. */
  view(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.start, this.length);
  }

  /** The index of `key` in a leaf, or, where it is absent, `~` of the index it would have. */
  findLeaf(key: Uint8Array): number {
    return this.#find(key);
  }

  /** The index of the branch element under which `key` belongs: the last one not above it, or the first. */
  findBranch(key: Uint8Array): number {
    const index = this.#find(key);
    if (index >= 0) return index;
    return ~index === 0 ? 0 : ~index - 1;
  }

  /**
   * Binary search. What both bounds are known to share with `key` is not compared again, which for keys with long common
   * prefixes is most of the work.
   */
  #find(key: Uint8Array): number {
    const { words, bytes } = this;
    const firstPos = this.#firstPos;
    const firstElement = this.start + pageHeaderSize;
    const length = key.length;
    let low = 0;
    let high = this.count;
    let lowShared = 0;
    let highShared = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const word = firstPos + 4 * middle;
      const offset = firstElement + elementSize * middle + words[word]!;
      const keyLength = words[word + 1]!;
      const shared = keyLength < length ? keyLength : length;
      let at = lowShared < highShared ? lowShared : highShared;
      while (at < shared && bytes[offset + at] === key[at]) at++;
      const order = at < shared ? bytes[offset + at]! - key[at]! : keyLength - length;
      if (order === 0) return middle;
      if (order < 0) {
        low = middle + 1;
        lowShared = at;
      } else {
        high = middle;
        highShared = at;
      }
    }
    return ~low;
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

/** Writes a page header at word `at`. */
export function writePageHeader(
  words: Uint32Array,
  at: number,
  id: number,
  flags: number,
  count: number,
  overflow: number,
): void {
  writeUint64(words, at, id);
  words[at + 2] = flags | (count << 16);
  words[at + 3] = overflow;
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
