/** Room for so many more is taken at least, where there is none. */
const leastRoom = 64;

/** Ids of pages, ascending. They come and go within the same memory: each commit would leave a copy of it behind otherwise. */
export class SortedIds {
  #memory: Float64Array;
  /** The ids lie in the memory from here to before the end; there may be room on both sides. */
  #start = 0;
  #end: number;

  /** `ids` must ascend, and are its own from now on. */
  constructor(ids: Float64Array) {
    this.#memory = ids;
    this.#end = ids.length;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** The ids where they lie: until the next change. */
  view(): Float64Array {
    return this.#memory.subarray(this.#start, this.#end);
  }

  has(id: number): boolean {
    return isIn(this.view(), id);
  }

  /** Puts ids that are not there, in any order, in their places. */
  add(more: readonly number[]): void {
    if (more.length === 0) return;
    const added = sorted(more);
    if (this.#start >= added.length) return this.#mergeDown(added);
    if (this.#memory.length - this.#end < added.length) this.#makeRoom(added.length);
    this.#mergeUp(added);
  }

  /** Takes `count` of them out, from the one at `index` on. */
  cut(index: number, count: number): void {
    const at = this.#start + index;
    if (index < this.length - index - count) {
      this.#memory.copyWithin(this.#start + count, this.#start, at);
      this.#start += count;
    } else {
      this.#memory.copyWithin(at, at + count, this.#end);
      this.#end -= count;
    }
  }

  /** Into the room in front: those below the highest new one move. */
  #mergeDown(added: ArrayLike<number>): void {
    const ids = this.#memory;
    let from = this.#start;
    let to = from - added.length;
    this.#start = to;
    for (let at = 0; at < added.length; at++) {
      const id = added[at]!;
      while (from < this.#end && ids[from]! < id) ids[to++] = ids[from++]!;
      ids[to++] = id;
    }
  }

  /** Into the room behind: those above the lowest new one move. */
  #mergeUp(added: ArrayLike<number>): void {
    const ids = this.#memory;
    let from = this.#end - 1;
    let to = from + added.length;
    this.#end = to + 1;
    for (let at = added.length - 1; at >= 0; at--) {
      const id = added[at]!;
      while (from >= this.#start && ids[from]! > id) ids[to--] = ids[from--]!;
      ids[to--] = id;
    }
  }

  #makeRoom(count: number): void {
    const { length } = this;
    const memory = new Float64Array(length + count + Math.max(leastRoom, length >>> 2));
    memory.set(this.view());
    this.#memory = memory;
    this.#start = 0;
    this.#end = length;
  }
}

/** The ids, ascending. A typed array sorts many several times as fast, and few are not worth its making. */
export function sorted(ids: readonly number[]): ArrayLike<number> {
  if (ids.length > leastRoom) return Float64Array.from(ids).sort();
  return ids.toSorted((left, right) => left - right);
}

/** Whether an id is among others, which ascend. */
export function isIn(ids: ArrayLike<number>, id: number): boolean {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (id === ids[middle]) return true;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return false;
}
