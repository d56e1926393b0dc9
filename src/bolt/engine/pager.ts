import { corruptPage, EngineError, messageOf } from "./errors.js";
import { compareRanges } from "./compare-ranges.js";
import { pageHeaderSize } from "./page-layout.js";
import { headRoom, Page } from "./page.js";
import { PageCache } from "./page-cache.js";
import { type Slab, SlabAllocator } from "./slab.js";
import type { Storage } from "./storage.js";
import { findPageFault } from "./validate-page.js";

/** No sound tree is deeper: two keys to a page reach 2^60 pages by then. */
export const maxDepth = 60;

/** Committed pages: from the cache, or from storage, checked once when they are read. */
export class Pager {
  readonly storage: Storage;
  readonly pageSize: number;
  readonly cache: PageCache;
  /** The first page id that the newest committed transaction does not have. */
  highWater: number;
  /** Room for the pages of the running write transaction. */
  readonly writeMemory = new SlabAllocator();
  readonly #readMemory = new SlabAllocator();
  #scratch = new Uint8Array(0);
  /** Bytes that the storage has. */
  storageSize: number;

  constructor(storage: Storage, options: { pageSize: number; highWater: number; cacheBytes: number }) {
    this.storage = storage;
    this.pageSize = options.pageSize;
    this.highWater = options.highWater;
    this.storageSize = storage.size();
    this.cache = new PageCache(options.cacheBytes);
  }

  /** The branch or leaf page with this id. */
  page(id: number): Page {
    return this.cache.get(id) ?? this.#load(id);
  }

  /** The page below a branch element. Where this pair was not seen before, the child's keys must be in range. */
  child(parent: Page, index: number): Page {
    const id = parent.childId(index);
    const page = this.cache.get(id) ?? this.#load(id);
    if (page.parentSerial !== parent.serial || page.parentIndex !== index) this.#checkRange(parent, index, page);
    return page;
  }

  /** A page that is read once, past the cache: for walks over the whole file. */
  pageUncached(id: number): Page {
    return this.cache.get(id) ?? this.read(id);
  }

  /** The page is free, and no transaction sees it any more: unless views of it are held, its memory is for another. */
  forget(id: number): void {
    const page = this.cache.delete(id);
    if (page === undefined || page.isLent || page.length !== this.pageSize) return;
    this.writeMemory.giveBack(page, page.start, page.length + headRoom(page.length));
  }

  #load(id: number): Page {
    const page = this.read(id);
    this.cache.set(page);
    return page;
  }

  /** Reads a branch or leaf page from storage and checks it. */
  read(id: number): Page {
    const { slab, start, length } = this.#readRun(id);
    const page = new Page(id, slab, start, length);
    const fault = findPageFault(page, this.highWater);
    if (fault) throw this.corrupt(id, fault);
    return page;
  }

  /** The bytes of a page with its overflow pages, checked only to lie within the file. */
  readRun(id: number): Uint8Array {
    const { slab, start, length } = this.#readRun(id);
    return slab.bytes.subarray(start, start + length);
  }

  #readRun(id: number): { slab: Slab; start: number; length: number } {
    if (id < 2 || id >= this.highWater) throw this.corrupt(id, `is outside the file's 2 to ${this.highWater - 1}`);
    const first = this.#readBytes(id, this.pageSize);
    const overflow = first.slab.words[(first.start + pageHeaderSize - 4) >>> 2]!;
    if (overflow === 0) return first;
    if (id + overflow >= this.highWater) {
      throw this.corrupt(id, `claims ${overflow} overflow pages, past the last page (${this.highWater - 1})`);
    }
    if ((id + overflow + 1) * this.pageSize > this.storage.size()) throw this.corrupt(id, "lies past the file's end");
    return this.#readBytes(id, (overflow + 1) * this.pageSize);
  }

  /** Zeroed room for pages that are written and then read no more: until it is asked for again. */
  scratch(length: number): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = new Uint8Array(length);
    return this.#scratch.subarray(0, length).fill(0);
  }

  /** Cuts the storage off behind the last page. */
  trim(): void {
    const size = this.highWater * this.pageSize;
    this.storage.resize(size);
    this.storageSize = size;
  }

  corrupt(id: number, reason: string): EngineError {
    return corruptPage(this.storage.path, id, reason);
  }

  #readBytes(id: number, length: number): { slab: Slab; start: number; length: number } {
    const memory = this.#readMemory;
    memory.restart();
    memory.take(length + headRoom(this.pageSize));
    const { slab, start } = memory;
    let count: number;
    try {
      count = this.storage.read(id * this.pageSize, slab.bytes.subarray(start, start + length));
    } catch (cause) {
      const { path } = this.storage;
      throw new EngineError("IO", `${path}: cannot read page ${id}: ${messageOf(cause)}`, { path, pageId: id, cause });
    }
    if (count < length) throw this.corrupt(id, "lies past the file's end: the file was cut short");
    return { slab, start, length };
  }

  /** A child's keys start no lower than its element's key and end before the next one's. */
  #checkRange(parent: Page, index: number, page: Page): void {
    const last = page.count - 1;
    if (last >= 0) {
      if (compareKeys(page, 0, parent, index) < 0) {
        throw this.corrupt(page.id, `starts below the key that branch page ${parent.id} gives it`);
      }
      if (index + 1 < parent.count && compareKeys(page, last, parent, index + 1) >= 0) {
        throw this.corrupt(page.id, `reaches into the range of its neighbour under branch page ${parent.id}`);
      }
    }
    page.parentSerial = parent.serial;
    page.parentIndex = index;
  }
}

function compareKeys(left: Page, leftIndex: number, right: Page, rightIndex: number): number {
  return compareRanges(
    left.bytes,
    left.keyOffset(leftIndex),
    left.keyLength(leftIndex),
    right.bytes,
    right.keyOffset(rightIndex),
    right.keyLength(rightIndex),
  );
}
