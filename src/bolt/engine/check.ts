import { readBucketHeader } from "./bucket-header.js";
import { EngineError } from "./errors.js";
import { readFreelist } from "./load-freelist.js";
import type { Meta } from "./meta.js";
import { compareRange } from "./compare-ranges.js";
import type { Page } from "./page.js";
import type { Pager } from "./pager.js";

/** One thing that is wrong with a database. */
export interface CheckProblem {
  readonly pageId: number;
  /** In words, the page included. */
  readonly message: string;
}

/** A page to visit, and the keys that its branch allows: from `low` up to, and without, `high`. */
interface Visit {
  readonly id: number;
  readonly low: Uint8Array | undefined;
  readonly high: Uint8Array | undefined;
  /** Whether it belongs to the root bucket, which holds buckets only. */
  readonly inRoot: boolean;
}

/** More problems than this are not listed: whoever has that many needs a backup, not a longer list. */
const maxProblems = 1_000;

/** Pages checked before other work gets its turn. */
const pagesPerTurn = 500;

const free = 1;
const used = 2;

/**
 * Walks a committed state: every page up to the high-water mark must be reachable once or free once, pages must be
 * sound, and keys in order, within pages and between them.
 */
export async function checkDatabase(pager: Pager, meta: Meta, stopped: () => boolean): Promise<CheckProblem[]> {
  const check = new Check(pager, meta);
  check.readFreelist();
  check.start();
  for (let visited = 1; check.step(); visited++) {
    if (visited % pagesPerTurn !== 0) continue;
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (stopped()) {
      const { path } = pager.storage;
      throw new EngineError("CLOSED", `${path}: the database was closed during the check`, { path });
    }
  }
  if (meta.freelist !== undefined) check.findUnreachable();
  return check.problems;
}

class Check {
  readonly problems: CheckProblem[] = [];
  readonly #pager: Pager;
  readonly #meta: Meta;
  /** For each page: unknown, free or used. */
  readonly #pages: Uint8Array;
  readonly #waiting: Visit[] = [];

  constructor(pager: Pager, meta: Meta) {
    this.#pager = pager;
    this.#meta = meta;
    this.#pages = new Uint8Array(meta.highWater);
    this.#pages.fill(used, 0, 2);
  }

  /** Marks what the stored freelist lists. */
  readFreelist(): void {
    const { freelist, highWater } = this.#meta;
    if (freelist === undefined) return;
    try {
      const { ids, pageCount } = readFreelist(this.#pager, freelist, highWater);
      for (const id of ids) this.#pages[id] = free;
      this.#markUsed(freelist, pageCount);
    } catch (thrown) {
      this.#addThrown(thrown, freelist);
    }
  }

  start(): void {
    this.#waiting.push({ id: this.#meta.root, low: undefined, high: undefined, inRoot: true });
  }

  /** Visits one page; false when there is none left. */
  step(): boolean {
    const visit = this.#waiting.pop();
    if (visit === undefined || this.problems.length >= maxProblems) return false;
    try {
      const page = this.#pager.read(visit.id);
      if (this.#markUsed(page.id, page.overflow + 1)) this.#visit(page, visit);
    } catch (thrown) {
      this.#addThrown(thrown, visit.id);
    }
    return true;
  }

  findUnreachable(): void {
    for (let id = 2; id < this.#pages.length && this.problems.length < maxProblems; id++) {
      if (this.#pages[id] === 0) this.#add(id, "is neither reachable nor free");
    }
  }

  #visit(page: Page, { low, high, inRoot }: Visit): void {
    const last = page.count - 1;
    if (last >= 0 && low && compareRange(page.bytes, page.keyOffset(0), page.keyLength(0), low) < 0) {
      this.#add(page.id, "starts below the key that its branch gives it");
    }
    if (last >= 0 && high && compareRange(page.bytes, page.keyOffset(last), page.keyLength(last), high) >= 0) {
      this.#add(page.id, "reaches into the range of its neighbour");
    }
    for (let index = 0; index <= last; index++) {
      if (!page.isLeaf) {
        const until = index < last ? page.key(index + 1) : high;
        this.#waiting.push({ id: page.childId(index), low: page.key(index), high: until, inRoot });
      } else if (page.flags(index) !== 0) {
        const { rootId } = readBucketHeader(this.#pager, page.id, page.value(index));
        if (rootId !== 0) this.#waiting.push({ id: rootId, low: undefined, high: undefined, inRoot: false });
      } else if (inRoot) {
        this.#add(page.id, `holds a key outside any bucket (element ${index})`);
      }
    }
  }

  /** False when the page was reached before, so that it is not walked again. */
  #markUsed(id: number, count: number): boolean {
    for (let at = id; at < id + count; at++) {
      const state = this.#pages[at];
      this.#pages[at] = used;
      if (state === free) this.#add(at, "is reachable, but on the freelist");
      if (state !== used) continue;
      this.#add(at, "is referred to more than once");
      return false;
    }
    return true;
  }

  #addThrown(thrown: unknown, pageId: number): void {
    if (!(thrown instanceof EngineError) || thrown.code !== "CORRUPT") throw thrown;
    this.problems.push({ pageId: thrown.pageId ?? pageId, message: thrown.message });
  }

  #add(pageId: number, reason: string): void {
    this.problems.push({ pageId, message: this.#pager.corrupt(pageId, reason).message });
  }
}
