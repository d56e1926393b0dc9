import { elementSize, leafFlag, pageHeaderSize, readUint64 } from "./page-layout.js";
import type { Slab } from "./slab.js";

let pagesMade = 0;
let handlesMade = 0;

/**
 * Leads to a page's bytes as long as it is part of the newest committed state and in the cache. To be kept in place of the
 * page, whose memory it does not hold.
 */
export interface PageHandle {
  bytes: Uint8Array | undefined;
  /** Whoever uses the bytes says so, that the page may stay in the cache. */
  referenced: boolean;
  /** Tells it from all others, unless there were 2^31 in between. */
  readonly serial: number;
  /** Where whoever keeps it has it: theirs to set. */
  slot: number;
}

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
  /** The word where the keys' heads begin, 0 while there are none; how many bytes all keys here begin with. */
  #heads = 0;
  #common = 0;
  #searches = 0;
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
  /** Whether there are, or may be, views of it that others hold. Its memory is not used for another page then. */
  isLent = false;
  #isCurrent = false;
  #handle: PageHandle | undefined;

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

  /** For the page cache: the page is part of the newest state and kept in memory, or is so no longer. */
  setCurrent(isCurrent: boolean): void {
    this.#isCurrent = isCurrent;
    if (isCurrent || this.#handle === undefined) return;
    this.#handle.bytes = undefined;
    this.#handle = undefined;
  }

  /** For the page cache: whether it was used since this was asked last. */
  takeReferenced(): boolean {
    const referenced = this.referenced || this.#handle?.referenced === true;
    this.referenced = false;
    if (this.#handle !== undefined) this.#handle.referenced = false;
    return referenced;
  }

  /** A way to this page for as long as it is current; undefined when it is not. */
  get handle(): PageHandle | undefined {
    if (!this.#isCurrent) return undefined;
    if (this.#handle === undefined) {
      handlesMade = (handlesMade + 1) | 0;
      this.#handle = { bytes: this.bytes, referenced: true, serial: handlesMade, slot: 0 };
    }
    return this.#handle;
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
    return readUint64(this.words, this.#firstPos + 4 * index + 2);
  }

  /** Where a leaf element's value lies in `bytes`. */
  valueOffset(index: number): number {
    const word = this.#firstPos + 4 * index;
    return this.start + pageHeaderSize + elementSize * index + this.words[word]! + this.words[word + 1]!;
  }

  /** A view to hand out. */
  key(index: number): Uint8Array {
    this.isLent = true;
    return new Uint8Array(this.bytes.buffer, this.keyOffset(index), this.keyLength(index));
  }

  /** A view to hand out. */
  value(index: number): Uint8Array {
    this.isLent = true;
    return this.peekValue(index);
  }

  /** A view for those who let go of it before anything else happens. */
  peekValue(index: number): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.valueOffset(index), this.valueLength(index));
  }

  /** The whole page, as `peekValue`. */
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
    if (this.#heads !== 0) {
      const common = this.#common;
      const offset = firstElement + words[firstPos]!;
      let at = 0;
      while (at < common && bytes[offset + at] === key[at]) at++;
      if (at < common) return at < length && key[at]! > bytes[offset + at]! ? ~high : ~0;
      const head = headOf(key, common, length);
      low = lowerBound(words, this.#heads, high, head);
      high = low;
      while (high < this.count && words[this.#heads + high] === head) high++;
      lowShared = common;
      highShared = common;
    } else if (++this.#searches === searchesBeforeHeads) {
      this.#collectHeads();
    }
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

  /** For a copy of a page with the same keys: what was found out about them there. */
  takeHeadsOf(page: Page): void {
    this.#searches = page.#searches;
    if (page.#heads === 0) return;
    const heads = (this.start + this.length) >>> 2;
    const { words } = this;
    for (let index = 0; index < this.count; index++) words[heads + index] = page.words[page.#heads + index]!;
    this.#common = page.#common;
    this.#heads = heads;
  }

  /** Sets the keys' heads side by side behind the page, where a search needs to look at few bytes. */
  #collectHeads(): void {
    const { bytes, words, count } = this;
    const heads = (this.start + this.length) >>> 2;
    // Room is left behind pages without overflow only, and not behind inline ones.
    if (count < fewestForHeads || 4 * count > headRoom(this.length)) return;
    if (this.overflow > 0 || heads + count > words.length) return;
    const [first, last] = [this.keyOffset(0), this.keyOffset(count - 1)];
    const shortest = Math.min(this.keyLength(0), this.keyLength(count - 1));
    let common = 0;
    while (common < shortest && bytes[first + common] === bytes[last + common]) common++;
    for (let index = 0; index < count; index++) {
      const offset = this.keyOffset(index);
      words[heads + index] = headOf(bytes, offset + common, offset + this.keyLength(index));
    }
    this.#common = common;
    this.#heads = heads;
  }
}

/** Collecting heads pays from the second search of a page on; most pages that are being rewritten never see one. */
const searchesBeforeHeads = 2;
const fewestForHeads = 8;

/** How many bytes to leave free behind a page without overflow, for the heads of its keys. */
export function headRoom(length: number): number {
  return length >>> 3;
}

/** The first 31 bits of the bytes from `at`, as if zeros followed at `end`: they order as the bytes do, or tie. */
function headOf(bytes: Uint8Array, at: number, end: number): number {
  const left = end - at;
  const first = left > 0 ? bytes[at]! : 0;
  const second = left > 1 ? bytes[at + 1]! : 0;
  const third = left > 2 ? bytes[at + 2]! : 0;
  const fourth = left > 3 ? bytes[at + 3]! : 0;
  return (first << 23) | (second << 15) | (third << 7) | (fourth >>> 1);
}

/** The first of the `count` words from `start` on that is not below `head`. */
function lowerBound(words: Uint32Array, start: number, count: number, head: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (words[start + middle]! < head) low = middle + 1;
    else high = middle;
  }
  return low;
}
