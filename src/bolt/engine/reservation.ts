/** Runs longer than this count as equally long. */
const longestCounted = 256;

/** Free pages that one transaction set aside: some for its leaves, the rest for all else. */
export class Reservation {
  readonly #ids: Float64Array;
  readonly #leavesEnd: number;
  #leaf = 0;
  #other: number;

  /** The first `leaves` of the `ids`, which ascend, are for leaves. */
  constructor(ids: Float64Array, leaves: number) {
    this.#ids = ids;
    this.#leavesEnd = leaves;
    this.#other = leaves;
  }

  get count(): number {
    return this.#leavesEnd - this.#leaf + this.#ids.length - this.#other;
  }

  /** Takes `count` adjacent pages; returns the first, or 0 when they are not at hand. */
  take(count: number, isLeaf: boolean): number {
    const from = isLeaf ? this.#leaf : this.#other;
    const first = this.#ids[from];
    const last = from + count - 1;
    if (first === undefined || last >= (isLeaf ? this.#leavesEnd : this.#ids.length)) return 0;
    if (this.#ids[last] !== first + count - 1) return 0;
    if (isLeaf) this.#leaf += count;
    else this.#other += count;
    return first;
  }

  /** What was not taken. */
  rest(): number[] {
    return [...this.#ids.subarray(this.#leaf, this.#leavesEnd), ...this.#ids.subarray(this.#other)];
  }
}

/**
 * Parts the longest runs of adjacent ids, `count` ids together, from the rest: those that can be written at once. `runs`
 * says how many they are. There must be so many ids, and they must ascend.
 */
export function partLongestRuns(
  ids: Float64Array,
  count: number,
): { readonly taken: Float64Array; readonly left: Float64Array; readonly runs: number } {
  const pagesByLength = new Float64Array(longestCounted + 1);
  for (let from = 0, end = 0; from < ids.length; from = end) {
    end = endOfRun(ids, from);
    const length = end - from;
    pagesByLength[length < longestCounted ? length : longestCounted]! += length;
  }
  let shortest = longestCounted;
  let longer = 0;
  while (shortest > 1 && longer + pagesByLength[shortest]! < count) longer += pagesByLength[shortest--]!;
  // Of the shortest runs that are needed not all may be.
  let ofShortest = count - longer;
  const taken = new Float64Array(count);
  const left = new Float64Array(ids.length - count);
  let takenCount = 0;
  let runs = 0;
  for (let from = 0, end = 0; from < ids.length; from = end) {
    end = endOfRun(ids, from);
    const length = end - from;
    const isLonger = shortest < longestCounted && length > shortest;
    const take = isLonger ? length : length < shortest ? 0 : Math.min(length, ofShortest);
    if (!isLonger) ofShortest -= take;
    for (let at = from; at < from + take; at++) taken[takenCount++] = ids[at]!;
    for (let at = from + take; at < end; at++) left[at - takenCount] = ids[at]!;
    if (take > 0) runs++;
  }
  return { taken, left, runs };
}

/** The index behind the run that begins at `from`. */
function endOfRun(ids: Float64Array, from: number): number {
  let end = from + 1;
  while (end < ids.length && ids[end] === ids[end - 1]! + 1) end++;
  return end;
}
