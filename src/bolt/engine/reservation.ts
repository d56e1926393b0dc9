import type { SortedIds } from "./sorted-ids.js";

/** Runs longer than this count as equally long. */
const longestCounted = 256;
/** How many runs there are of each length, while they are counted. */
const runsOfLength = new Uint32Array(longestCounted + 1);
const pagesInRunsOfLength = new Float64Array(longestCounted + 1);
/** Where each run begins, and behind the last one the end of all; used again for the next list. */
let runStarts = new Uint32Array(1024);

/** Free pages that one transaction set aside: some for its leaves, the rest for all else. */
export class Reservation {
  readonly #ids: ArrayLike<number>;
  readonly #leavesEnd: number;
  #leaf = 0;
  #other: number;

  /** The first `leaves` of the `ids` are for leaves, and ascend; so do those behind them, for the rest. */
  constructor(ids: ArrayLike<number>, leaves: number) {
    this.#ids = ids;
    this.#leavesEnd = leaves;
    this.#other = leaves;
  }

  get count(): number {
    return this.#leavesEnd - this.#leaf + this.#ids.length - this.#other;
  }

  /** Takes `count` adjacent pages; returns the first, or 0 when they are not at hand. */
  take(count: number, isLeaf: boolean): number {
    // The root bucket's leaf comes last, and is written by every transaction: it is one of the rest.
    const fromLeaves = isLeaf && this.#leaf < this.#leavesEnd;
    const from = fromLeaves ? this.#leaf : this.#other;
    const first = this.#ids[from];
    const last = from + count - 1;
    if (first === undefined || last >= (fromLeaves ? this.#leavesEnd : this.#ids.length)) return 0;
    if (this.#ids[last] !== first + count - 1) return 0;
    if (fromLeaves) this.#leaf += count;
    else this.#other += count;
    return first;
  }

  /** What was not taken. */
  rest(): number[] {
    const rest: number[] = [];
    for (let at = this.#leaf; at < this.#leavesEnd; at++) rest.push(this.#ids[at]!);
    for (let at = this.#other; at < this.#ids.length; at++) rest.push(this.#ids[at]!);
    return rest;
  }
}

/**
 * Which runs of adjacent ids to take: all that are longer than `shortest`, and `ofShortest` ids of the first others. Its
 * memory is that of the next one too: take them before others are looked for.
 */
export interface LongestRuns {
  readonly shortest: number;
  readonly ofShortest: number;
  /** How many runs that are, at most. */
  readonly count: number;
  /** Where each run begins, taken or not, and behind the last one the end of all. */
  readonly starts: Uint32Array;
}

/** Finds the longest runs, `count` ids together: those that can be written at once. There must be so many ids. */
export function longestRuns(ids: Float64Array, count: number): LongestRuns {
  runsOfLength.fill(0);
  pagesInRunsOfLength.fill(0);
  if (runStarts.length <= ids.length) runStarts = new Uint32Array(2 * ids.length);
  let all = 0;
  for (let from = 0, end = 0; from < ids.length; from = end) {
    end = endOfRun(ids, from);
    const length = Math.min(end - from, longestCounted);
    runsOfLength[length]!++;
    pagesInRunsOfLength[length]! += end - from;
    runStarts[all++] = from;
  }
  runStarts[all] = ids.length;
  let shortest = longestCounted;
  let longer = 0;
  let runs = 0;
  while (shortest > 1 && longer + pagesInRunsOfLength[shortest]! < count) {
    longer += pagesInRunsOfLength[shortest]!;
    runs += runsOfLength[shortest--]!;
  }
  const ofShortest = count - longer;
  return { shortest, ofShortest, count: runs + Math.ceil(ofShortest / shortest), starts: runStarts };
}

/** Takes these runs out, `count` ids. */
export function takeRuns(ids: SortedIds, { shortest, ofShortest, starts }: LongestRuns, count: number): Float64Array {
  const all = ids.view();
  const taken = new Float64Array(count);
  let takenCount = 0;
  let ofShortestLeft = ofShortest;
  // What lies between two runs that are taken moves as a whole.
  let leftFrom = 0;
  const leave = (to: number): void => void all.copyWithin(leftFrom - takenCount, leftFrom, to);
  for (let run = 0; takenCount < count; run++) {
    const from = starts[run]!;
    const length = starts[run + 1]! - from;
    const isLonger = shortest < longestCounted && length > shortest;
    const take = isLonger ? length : length < shortest ? 0 : Math.min(length, ofShortestLeft);
    if (take === 0) continue;
    if (!isLonger) ofShortestLeft -= take;
    leave(from);
    leftFrom = from + take;
    for (let at = from; at < leftFrom; at++) taken[takenCount++] = all[at]!;
  }
  leave(all.length);
  ids.cut(all.length - count, count);
  return taken;
}

/**
 * Takes `holes` ids that have no neighbour, or as many as there are, and then the first `adjacent` ids of the first run that
 * is long enough. `undefined`, and nothing is taken, where no run is.
 */
export function takeHolesAndRun(
  ids: SortedIds,
  holes: number,
  adjacent: number,
): { readonly taken: readonly number[]; readonly holes: number } | undefined {
  const all = ids.view();
  let run = -1;
  const found: number[] = [];
  for (let from = 0, end = 0; from < all.length && (run < 0 || found.length < holes); from = end) {
    end = endOfRun(all, from);
    if (run < 0 && end - from >= adjacent) run = from;
    else if (end - from === 1 && found.length < holes) found.push(from);
  }
  if (run < 0) return undefined;
  const taken = found.map((at) => all[at]!);
  for (let at = run; at < run + adjacent; at++) taken.push(all[at]!);
  // From behind, so that no index moves before its turn.
  for (let at = found.length - 1; at >= 0; at--) if (found[at]! > run) ids.cut(found[at]!, 1);
  ids.cut(run, adjacent);
  for (let at = found.length - 1; at >= 0; at--) if (found[at]! < run) ids.cut(found[at]!, 1);
  return { taken, holes: found.length };
}

/** The index behind the run that begins at `from`. */
function endOfRun(ids: Float64Array, from: number): number {
  let end = from + 1;
  while (end < ids.length && ids[end] === ids[end - 1]! + 1) end++;
  return end;
}
