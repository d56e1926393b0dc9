import { type BucketHeader, readBucketHeader } from "./bucket-header.js";
import { elementSize, pageHeaderSize } from "./page-layout.js";
import type { Page } from "./page.js";
import { maxDepth, type Pager } from "./pager.js";

/** What a bucket is made of, nested buckets included. Sizes are bytes. */
export interface BucketStats {
  branchPages: number;
  branchOverflowPages: number;
  leafPages: number;
  leafOverflowPages: number;
  /** Keys, and nested buckets, each counted once. */
  keys: number;
  /** Levels of pages, those of nested buckets added. */
  depth: number;
  branchBytes: number;
  branchBytesUsed: number;
  leafBytes: number;
  leafBytesUsed: number;
  /** This bucket and all nested ones. */
  buckets: number;
  inlineBuckets: number;
  inlineBytesUsed: number;
}

/** Walks a committed bucket and counts. */
export function bucketStats(pager: Pager, header: BucketHeader, nesting = 0): BucketStats {
  const stats = emptyStats();
  if (nesting > maxDepth) throw pager.corrupt(header.rootId, "roots buckets that nest in a circle");
  if (header.inline) {
    stats.inlineBuckets = 1;
    stats.keys = header.inline.count;
    stats.inlineBytesUsed = usedBytes(header.inline);
    return stats;
  }
  countPage(pager, pager.pageUncached(header.rootId), 1, nesting, stats, new Set());
  return stats;
}

function emptyStats(): BucketStats {
  return {
    branchPages: 0,
    branchOverflowPages: 0,
    leafPages: 0,
    leafOverflowPages: 0,
    keys: 0,
    depth: 0,
    branchBytes: 0,
    branchBytesUsed: 0,
    leafBytes: 0,
    leafBytesUsed: 0,
    buckets: 1,
    inlineBuckets: 0,
    inlineBytesUsed: 0,
  };
}

function countPage(
  pager: Pager,
  page: Page,
  depth: number,
  nesting: number,
  stats: BucketStats,
  seen: Set<number>,
): void {
  if (seen.has(page.id)) throw pager.corrupt(page.id, "is referred to more than once");
  seen.add(page.id);
  stats.depth = Math.max(stats.depth, depth);
  if (page.isLeaf) {
    stats.leafPages++;
    stats.leafOverflowPages += page.overflow;
    stats.leafBytes += page.length;
    stats.leafBytesUsed += usedBytes(page);
    stats.keys += page.count;
    countNested(pager, page, depth, nesting, stats);
    return;
  }
  stats.branchPages++;
  stats.branchOverflowPages += page.overflow;
  stats.branchBytes += page.length;
  stats.branchBytesUsed += usedBytes(page);
  for (let index = 0; index < page.count; index++) {
    countPage(pager, pager.pageUncached(page.childId(index)), depth + 1, nesting, stats, seen);
  }
}

function countNested(pager: Pager, page: Page, depth: number, nesting: number, stats: BucketStats): void {
  for (let index = 0; index < page.count; index++) {
    if (page.flags(index) === 0) continue;
    const nested = bucketStats(pager, readBucketHeader(pager, page.id, page.value(index)), nesting + 1);
    for (const name of Object.keys(nested) as (keyof BucketStats)[]) {
      if (name === "depth") stats.depth = Math.max(stats.depth, depth + nested.depth);
      else stats[name] += nested[name];
    }
  }
}

function usedBytes(page: Page): number {
  let used = pageHeaderSize + elementSize * page.count;
  for (let index = 0; index < page.count; index++) {
    used += page.keyLength(index) + (page.isLeaf ? page.valueLength(index) : 0);
  }
  return used;
}
