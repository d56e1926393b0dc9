import { compareRanges } from "./compare-ranges.js";
import { branchFlag, bucketFlag, elementSize, leafFlag, maxKeySize, pageHeaderSize, pageKind } from "./page-layout.js";
import type { Page } from "./page.js";

/** Nested buckets start with a u64 root page id and a u64 sequence; at root 0 the bucket's own page follows. */
export const bucketHeaderSize = 16;

/** What is wrong with a page as read from the file, or undefined when every byte of its structure holds together. */
export function findPageFault(page: Page, highWater: number): string | undefined {
  const { storedId } = page;
  if (storedId !== page.id) return `carries the id of page ${storedId}`;
  if (page.id + page.overflow >= highWater) return `runs past the last page (${highWater - 1})`;
  return findContentFault(page, highWater);
}

/** The same for a page that a nested bucket holds inline: it has no id of its own and must be a leaf. */
function findContentFault(page: Page, highWater: number): string | undefined {
  const flags = page.headerFlags;
  if (flags !== branchFlag && flags !== leafFlag) return `is of type ${pageKind(flags)}, not branch or leaf`;
  if (page.count === 0 && flags === branchFlag) return "is a branch without elements";
  if (pageHeaderSize + page.count * elementSize > page.length) return `has ${page.count} elements, more than fit`;
  for (let index = 0; index < page.count; index++) {
    const fault = findElementFault(page, index, highWater);
    if (fault) return `element ${index} ${fault}`;
  }
  return undefined;
}

function findElementFault(page: Page, index: number, highWater: number): string | undefined {
  const { bytes, count, start } = page;
  const offset = page.keyOffset(index);
  const keyLength = page.keyLength(index);
  if (keyLength === 0) return "has an empty key";
  if (keyLength > maxKeySize) return `has a key of ${keyLength} bytes, longer than ${maxKeySize}`;
  if (offset < start + pageHeaderSize + count * elementSize) return "has its key inside the element table";
  const valueLength = page.isLeaf ? page.valueLength(index) : 0;
  if (offset + keyLength + valueLength > start + page.length) return "reaches past the end of the page";
  if (index > 0) {
    const before = page.keyOffset(index - 1);
    const order = compareRanges(bytes, before, page.keyLength(index - 1), bytes, offset, keyLength);
    if (order >= 0) return "has a key not above the one before it";
  }
  if (!page.isLeaf) return findChildFault(page, index, highWater);
  const flags = page.flags(index);
  if (flags === 0) return undefined;
  if (flags !== bucketFlag) return `has unknown flags 0x${flags.toString(16)}`;
  return valueLength < bucketHeaderSize ? "is a bucket with a header cut short" : undefined;
}

function findChildFault(page: Page, index: number, highWater: number): string | undefined {
  const child = page.childId(index);
  if (child < 2 || child >= highWater) return `points to page ${child}, outside 2 to ${highWater - 1}`;
  return child === page.id ? "points to its own page" : undefined;
}

/** What is wrong with the page inside an inline bucket's value. */
export function findInlineFault(page: Page): string | undefined {
  if (page.length < pageHeaderSize) return "is too short for a page";
  if (!page.isLeaf) return "is not a leaf";
  for (let index = 0; index < page.count; index++) {
    if (pageHeaderSize + page.count * elementSize > page.length) break;
    if (page.flags(index) !== 0) return `element ${index} is a bucket, which an inline bucket cannot hold`;
  }
  return findContentFault(page, Number.MAX_SAFE_INTEGER);
}
