import { freelistFlag, pageHeaderSize, readUint64, writePageHeader, writeUint64 } from "./page-layout.js";
import { longestRuns, Reservation, takeHolesAndRun, takeRuns } from "./reservation.js";
import { isIn, sorted, SortedIds } from "./sorted-ids.js";

/** At this count and above, the header's count is 0xFFFF and the real one stands in front of the ids. */
const countInBody = 0xffff;

/** Pages that one transaction freed, still visible to readers of older snapshots. */
interface PendingPages {
  ids: number[];
  /** For each id, the transaction that allocated it: 0 when unknown, which counts as very old. */
  allocatedBy: number[];
}

/**
 * Which pages may be used again. Free ids are kept sorted, eight bytes each; pages that a transaction frees wait under its
 * id until no reader can see them.
 */
export class Freelist {
  readonly #ids: SortedIds;
  #pending = new Map<number, PendingPages>();
  /** Which transaction allocated a page; kept only while a reader is there to make a difference. */
  #allocatedBy = new Map<number, number>();
  /** What the running transaction took from the free ids, and what it set aside to take. */
  #taken: number[] = [];
  #reserved: Reservation | undefined;
  /** The shortest run that could not be found since ids last came in: looking again for it, or longer, is in vain. */
  #noRunOf = Number.POSITIVE_INFINITY;

  /** `ids` must ascend, and are its own from now on. */
  constructor(ids: Float64Array = new Float64Array(0)) {
    this.#ids = new SortedIds(ids);
  }

  get freeCount(): number {
    return this.#ids.length;
  }

  get pendingCount(): number {
    let count = 0;
    for (const pages of this.#pending.values()) count += pages.ids.length;
    return count;
  }

  /** Whether the page is on the free list or waits to be. */
  has(id: number): boolean {
    if (this.#ids.has(id)) return true;
    for (const pages of this.#pending.values()) if (pages.ids.includes(id)) return true;
    return false;
  }

  /** The free ids and the waiting ones. */
  *all(): Generator<number> {
    yield* this.#ids.view();
    for (const pages of this.#pending.values()) yield* pages.ids;
  }

  /**
   * Sets the longest runs of free pages aside for the running transaction, so that it writes few pieces: so many pages for
   * leaves, so many for others. Those lie apart because most others are soon written again, and leave long runs behind.
   * False, and nothing is done, where it would be more than `mostRuns` pieces.
   */
  reserve(leaves: number, others: number, mostRuns: number): boolean {
    const count = leaves + others;
    if (count > this.#ids.length) return false;
    const runs = longestRuns(this.#ids.view(), count);
    if (runs.count > mostRuns) return false;
    this.#reserved = new Reservation(takeRuns(this.#ids, runs, count), leaves);
    return true;
  }

  /**
   * The same for a small transaction: pages without free neighbours for the leaves, and one run for all others, which are
   * soon written again and leave it whole behind.
   */
  reserveFew(leaves: number, others: number): boolean {
    if (others >= this.#noRunOf) return false;
    const found = takeHolesAndRun(this.#ids, leaves, others);
    if (found === undefined) {
      this.#noRunOf = others;
      return false;
    }
    this.#reserved = new Reservation(found.taken, found.holes);
    return true;
  }

  /** Gives back what was set aside and not taken. */
  endReservation(): void {
    const rest = this.#reserved?.rest();
    this.#reserved = undefined;
    if (rest !== undefined) this.#merge(rest);
  }

  /**
   * Takes `count` adjacent pages, those set aside first, then the lowest run that is long enough; returns the first id, or
   * 0 when there is none.
   */
  allocate(count: number, txid: number, trackReaders: boolean, isLeaf = false): number {
    const first = this.#reserved?.take(count, isLeaf) || this.#takeLowest(count);
    if (first === 0) return 0;
    for (let id = first; id < first + count; id++) this.#taken.push(id);
    if (trackReaders) this.#allocatedBy.set(first, txid);
    return first;
  }

  #takeLowest(count: number): number {
    if (count >= this.#noRunOf) return 0;
    const ids = this.#ids.view();
    const end = findRun(ids, count);
    if (end === 0) {
      this.#noRunOf = count;
      return 0;
    }
    const first = ids[end - count]!;
    this.#ids.cut(end - count, count);
    return first;
  }

  /** Notes that `txid` took these pages from the end of the file. */
  noteGrown(id: number, txid: number): void {
    this.#allocatedBy.set(id, txid);
  }

  /** Frees a run of pages on behalf of `txid`; they wait until its readers are gone. */
  free(id: number, count: number, txid: number): void {
    let pages = this.#pending.get(txid);
    if (pages === undefined) {
      pages = { ids: [], allocatedBy: [] };
      this.#pending.set(txid, pages);
    }
    const allocatedBy = this.#allocatedBy.get(id) ?? 0;
    this.#allocatedBy.delete(id);
    for (let page = id; page < id + count; page++) {
      pages.ids.push(page);
      pages.allocatedBy.push(allocatedBy);
    }
  }

  /** An id that `txid` frees though it is free, waiting or freed by it already: the file is damaged. */
  findDoubleFree(txid: number): number | undefined {
    const freed = sorted(this.#pending.get(txid)?.ids ?? []);
    const free = this.#ids.view();
    for (let index = 0; index < freed.length; index++) {
      const id = freed[index]!;
      if (id === freed[index - 1] || isIn(free, id)) return id;
    }
    const isFreed = (id: number): boolean => isIn(freed, id);
    let found = this.#taken.find(isFreed) ?? this.#reserved?.rest().find(isFreed);
    for (const [other, { ids }] of this.#pending) if (other !== txid) found ??= ids.find(isFreed);
    return found;
  }

  /**
   * Makes waiting pages free that no reader can see: those that a transaction up to `through` freed, unless a reader
   * started after their allocation and before their end. `readers` are the open snapshots' ids, ascending.
   * Returns the ids that became free.
   */
  release(readers: readonly number[], through: number): number[] {
    const released: number[] = [];
    for (const [txid, pages] of this.#pending) {
      if (txid > through) continue;
      if (readers.length === 0) {
        for (const id of pages.ids) released.push(id);
        this.#pending.delete(txid);
        continue;
      }
      const kept: PendingPages = { ids: [], allocatedBy: [] };
      for (const [index, id] of pages.ids.entries()) {
        const allocatedBy = pages.allocatedBy[index]!;
        if (readers.some((reader) => allocatedBy <= reader && reader < txid)) {
          kept.ids.push(id);
          kept.allocatedBy.push(allocatedBy);
        } else {
          released.push(id);
        }
      }
      if (kept.ids.length === 0) this.#pending.delete(txid);
      else this.#pending.set(txid, kept);
    }
    if (readers.length === 0) this.#allocatedBy.clear();
    this.#merge(released);
    return released;
  }

  /** Puts back what `txid` allocated and forgets what it freed. */
  rollback(txid: number): void {
    this.endReservation();
    const pages = this.#pending.get(txid);
    if (pages) {
      for (const [index, id] of pages.ids.entries()) {
        const allocatedBy = pages.allocatedBy[index]!;
        if (allocatedBy !== 0) this.#allocatedBy.set(id, allocatedBy);
      }
      this.#pending.delete(txid);
    }
    for (const [id, by] of this.#allocatedBy) if (by === txid) this.#allocatedBy.delete(id);
    this.#merge(this.#taken);
    this.#taken = [];
  }

  /** The running transaction is durable. */
  commit(): void {
    this.endReservation();
    this.#taken = [];
  }

  /** Bytes of the freelist as stored, page header included. */
  storedSize(): number {
    const count = this.freeCount + (this.#reserved?.count ?? 0) + this.pendingCount;
    return pageHeaderSize + 8 * (count >= countInBody ? count + 1 : count);
  }

  /** Writes the stored form into whole zeroed pages: free and waiting ids alike, for after a crash nobody waits. */
  write(bytes: Uint8Array, id: number, overflow: number): void {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
    const count = this.freeCount + this.pendingCount;
    const inBody = count >= countInBody;
    writePageHeader(words, 0, id, freelistFlag, inBody ? countInBody : count, overflow);
    let at = pageHeaderSize >>> 2;
    if (inBody) {
      writeUint64(words, at, count);
      at += 2;
    }
    const free = this.#ids.view();
    const waiting = this.#waiting();
    let from = 0;
    for (let next = 0; next < waiting.length; next++, at += 2) {
      const id = waiting[next]!;
      for (; from < free.length && free[from]! < id; from++, at += 2) writeUint64(words, at, free[from]!);
      writeUint64(words, at, id);
    }
    for (; from < free.length; from++, at += 2) writeUint64(words, at, free[from]!);
  }

  /** Ids that wait, ascending. */
  #waiting(): ArrayLike<number> {
    const waiting: number[] = [];
    for (const pages of this.#pending.values()) for (const id of pages.ids) waiting.push(id);
    return sorted(waiting);
  }

  #merge(more: readonly number[]): void {
    if (more.length === 0) return;
    this.#ids.add(more);
    this.#noRunOf = Number.POSITIVE_INFINITY;
  }
}

/** The index behind the first run of `count` adjacent ids, or 0. */
function findRun(ids: Float64Array, count: number): number {
  let length = 0;
  for (let index = 0; index < ids.length; index++) {
    length = index > 0 && ids[index - 1]! + 1 === ids[index] ? length + 1 : 1;
    if (length === count) return index + 1;
  }
  return 0;
}

/** How many ids a stored freelist holds, from its first page. */
export function storedFreelistCount(words: Uint32Array): { count: number; inBody: boolean } {
  const count = words[2]! >>> 16;
  return count === countInBody ? { count: readUint64(words, 4), inBody: true } : { count, inBody: false };
}

/** Reads a stored freelist, or says what is wrong with it. */
export function parseFreelist(bytes: Uint8Array, highWater: number): Float64Array | string {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const { count, inBody } = storedFreelistCount(words);
  const start = (pageHeaderSize >>> 2) + (inBody ? 2 : 0);
  if (!(start + 2 * count <= words.length)) return `holds ${count} ids, more than fit`;
  const ids = new Float64Array(count);
  let sorted = true;
  for (let index = 0; index < count; index++) {
    const id = readUint64(words, start + 2 * index);
    if (id < 2 || id >= highWater) return `lists page ${id}, outside 2 to ${highWater - 1}`;
    if (index > 0 && id <= ids[index - 1]!) sorted = false;
    ids[index] = id;
  }
  if (sorted) return ids;
  ids.sort();
  for (let index = 1; index < count; index++)
    if (ids[index] === ids[index - 1]) return `lists page ${ids[index]} twice`;
  return ids;
}
