import type { Freelist } from "./freelist.js";
import { type Meta, writeMeta } from "./meta.js";
import type { Page } from "./page.js";
import type { Pager } from "./pager.js";
import type { SlabAllocator } from "./slab.js";
import type { PageAllocator } from "./spill.js";
import { type Finished, writeFinished } from "./write-finished.js";

/** Below this the file doubles when it grows; above, it grows in steps of it. */
const growthStep = 1024 * 1024;
const smallestGrowth = 32 * 1024;

/** From this many pages on a transaction looks for free pages that lie side by side. */
const fewestToReserve = 16;
/** How many pages each piece should have at least, on average, before the file grows for longer ones. */
const shortestPiece = 8;
/** How much of a file may be free before it grows no more for that, in bytes; and never more than is in use. */
const mostSpareBytes = 16 * 1024 * 1024;

/** The pages that one write transaction takes, frees and fills. */
export class PageWriter implements PageAllocator {
  readonly #pager: Pager;
  readonly #freelist: Freelist;
  readonly #txid: number;
  readonly #trackReaders: boolean;
  readonly #freed = new Set<number>();
  readonly #finished: Finished[] = [];
  readonly #pages: Page[] = [];
  readonly memory: SlabAllocator;
  highWater: number;
  /** All pages come from the end of the file. */
  #grows = false;

  constructor(pager: Pager, freelist: Freelist, meta: Meta, trackReaders: boolean) {
    this.#pager = pager;
    this.#freelist = freelist;
    this.#txid = meta.txid + 1;
    this.#trackReaders = trackReaders;
    this.memory = pager.writeMemory;
    this.memory.restart();
    this.highWater = meta.highWater;
  }

  /**
   * Prepares for a transaction that is about to write so many pages. Scattered pages are what makes a large commit slow, so
   * it gets free pages that lie side by side, and the file grows where there are none, within bounds. For a small one it
   * never does: where free pages will not do, they are taken as bbolt takes them, and files stay as small as its.
   */
  prepareFor(leaves: number, branches: number): void {
    const { pageSize } = this.#pager;
    const freelist = this.#freelist;
    // The leaf of the root bucket, which every commit writes, and the freelist.
    const others = branches + 1 + Math.floor(freelist.storedSize() / pageSize) + 1;
    const count = leaves + others;
    if (count < fewestToReserve) {
      freelist.reserveFew(leaves, others);
      return;
    }
    const spare = freelist.freeCount + freelist.pendingCount;
    const mostSpare = Math.min(this.highWater - spare, mostSpareBytes / pageSize);
    const mayGrow = spare + count <= mostSpare;
    const isReserved = freelist.reserve(leaves, others, mayGrow ? count / shortestPiece : count);
    this.#grows = mayGrow && !isReserved;
  }

  /** Pages set aside, else as bbolt: the lowest free run that is long enough, else new pages at the end. */
  allocatePages(count: number, isLeaf: boolean): number {
    const free = this.#grows ? 0 : this.#freelist.allocate(count, this.#txid, this.#trackReaders, isLeaf);
    if (free !== 0) return free;
    const id = this.highWater;
    this.highWater += count;
    if (this.#trackReaders) this.#freelist.noteGrown(id, this.#txid);
    return id;
  }

  freePages(id: number, count: number): void {
    if (this.#freed.has(id)) throw this.#pager.corrupt(id, "is referred to more than once");
    this.#freed.add(id);
    this.#freelist.free(id, count, this.#txid);
  }

  addPage(page: Page): void {
    this.#pages.push(page);
    this.#finished.push(page);
  }

  /** Writes out the freelist as it will be; returns its first page and how many it takes. */
  addFreelist(): { id: number; count: number } {
    const { pageSize } = this.#pager;
    const count = Math.floor(this.#freelist.storedSize() / pageSize) + 1;
    const id = this.allocatePages(count, false);
    this.#freelist.endReservation();
    const bytes = this.#pager.scratch(count * pageSize);
    this.#freelist.write(bytes, id, count - 1);
    this.#finished.push({ id, length: bytes.length, view: () => bytes });
    return { id, count };
  }

  /** The file is damaged when a page that was in use is free as well. */
  checkFreed(): void {
    const id = this.#freelist.findDoubleFree(this.#txid);
    if (id !== undefined) throw this.#pager.corrupt(id, "is in use and on the freelist at once");
  }

  /** Grows the storage where needed and writes all finished pages. The sync of them all is up to the caller. */
  async writePages(noSync: boolean): Promise<void> {
    const { storage, pageSize } = this.#pager;
    const needed = this.highWater * pageSize;
    if (needed > this.#pager.storageSize) {
      const size = grownSize(needed);
      storage.resize(size);
      this.#pager.storageSize = size;
    }
    await writeFinished(storage, this.#finished, pageSize, noSync);
  }

  /** Writes a meta page in its place. */
  writeMeta(meta: Meta): void {
    const { storage, pageSize } = this.#pager;
    const page = this.#pager.scratch(pageSize);
    writeMeta(page, meta);
    storage.write((meta.txid % 2) * pageSize, [page]);
  }

  /** Hands the written pages to the cache: they are committed now. */
  publish(): void {
    const { cache } = this.#pager;
    for (const id of this.#freed) cache.retire(id);
    for (const page of this.#pages) cache.set(page);
    this.#pager.highWater = this.highWater;
  }
}

/** Steps no larger than those that bbolt takes, so that files are not larger than its. */
function grownSize(needed: number): number {
  if (needed > growthStep) return Math.ceil(needed / growthStep) * growthStep;
  let size = smallestGrowth;
  while (size < needed) size *= 2;
  return size;
}
