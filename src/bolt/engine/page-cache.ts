import type { Page } from "./page.js";

const chunkSize = 1024;

/**
 * Committed pages by id, bounded in bytes. When it is full, pages leave in clock order: a hand goes round and drops the
 * first one not used since it last came by. Bytes already handed out stay valid, they only leave the cache.
 */
export class PageCache {
  readonly #limitBytes: number;
  /** Two levels of plain arrays: measurably faster than a Map, and small where page ids are sparse. */
  #chunks: (Page | undefined)[][] = [];
  #ring: Page[] = [];
  #hand = 0;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get pages(): number {
    return this.#ring.length;
  }

  get(id: number): Page | undefined {
    // Small integers spare the division: nearly all files are smaller than 2^30 pages.
    const small = id < 2 ** 30;
    const chunk = this.#chunks[small ? id >>> 10 : Math.floor(id / chunkSize)];
    if (chunk === undefined) return undefined;
    const page = chunk[small ? id & 1023 : id % chunkSize];
    if (page !== undefined) page.referenced = true;
    return page;
  }

  /** Puts the page in place of an older image with its id. */
  set(page: Page): void {
    this.delete(page.id);
    const size = page.length;
    if (size > this.#limitBytes / 4) return;
    while (this.#bytes + size > this.#limitBytes && this.#ring.length > 0) this.#evictOne();
    const at = Math.floor(page.id / chunkSize);
    let chunk = this.#chunks[at];
    if (chunk === undefined) {
      chunk = Array.from<Page | undefined>({ length: chunkSize }).fill(undefined);
      this.#chunks[at] = chunk;
    }
    chunk[page.id % chunkSize] = page;
    page.setCurrent(true);
    page.slot = this.#ring.length;
    this.#ring.push(page);
    this.#bytes += size;
  }

  /** Takes the page out, and returns it if it was there. */
  delete(id: number): Page | undefined {
    const chunk = this.#chunks[Math.floor(id / chunkSize)];
    const page = chunk?.[id % chunkSize];
    if (chunk === undefined || page === undefined) return undefined;
    chunk[id % chunkSize] = undefined;
    page.setCurrent(false);
    this.#bytes -= page.length;
    const last = this.#ring.pop()!;
    if (last !== page) {
      last.slot = page.slot;
      this.#ring[page.slot] = last;
    }
    return page;
  }

  /** The page is part of older states only, which some reader may still see. */
  retire(id: number): void {
    this.#chunks[Math.floor(id / chunkSize)]?.[id % chunkSize]?.setCurrent(false);
  }

  clear(): void {
    for (const page of this.#ring) page.setCurrent(false);
    this.#chunks = [];
    this.#ring = [];
    this.#hand = 0;
    this.#bytes = 0;
  }

  #evictOne(): void {
    for (;;) {
      if (this.#hand >= this.#ring.length) this.#hand = 0;
      const page = this.#ring[this.#hand]!;
      if (!page.takeReferenced()) {
        this.delete(page.id);
        return;
      }
      this.#hand++;
    }
  }
}
