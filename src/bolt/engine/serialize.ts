import { copyRange } from "../../util/bytes.js";
import type { Inode, Node } from "./node.js";
import { branchFlag, elementSize, leafFlag, pageHeaderSize, writePageHeader, writeUint64 } from "./page-layout.js";
import { Page } from "./page.js";
import type { Slab } from "./slab.js";

/** A page keeps at least this many keys when a node is split. */
export const minKeysPerPage = 2;

/** How many elements from `from` on make a page of `threshold` bytes: up to `to`, and what they take with a page header. */
export function cutPage(inodes: readonly Inode[], from: number, threshold: number): { to: number; size: number } {
  let size = pageHeaderSize;
  let to = from;
  for (; to < inodes.length - minKeysPerPage; to++) {
    const element = elementSize + inodes[to]!.keyLength + inodes[to]!.valueLength;
    if (to - from >= minKeysPerPage && size + element > threshold) break;
    size += element;
  }
  return { to, size };
}

/** Where a page is to be, in the file and in memory. The memory is zeroed. */
export interface PagePlace {
  readonly id: number;
  readonly overflow: number;
  readonly slab: Slab;
  readonly start: number;
  readonly length: number;
}

/** Writes the elements `from` to `to` of a node as a page. */
export function serializeNode(node: Node, from: number, to: number, place: PagePlace): Page {
  const { inodes, isLeaf } = node;
  const { slab, start } = place;
  const { bytes, words } = slab;
  const firstWord = start >>> 2;
  writePageHeader(words, firstWord, place.id, isLeaf ? leafFlag : branchFlag, to - from, place.overflow);
  let word = firstWord + 4;
  let at = start + pageHeaderSize + elementSize * (to - from);
  // Neighbours that came from one page lie there side by side: such runs are copied at once.
  let runBytes = bytes;
  let runStart = 0;
  let runEnd = 0;
  let runAt = at;
  for (let index = from; index < to; index++) {
    const inode = inodes[index]!;
    const { keyLength, valueLength } = inode;
    if (isLeaf) {
      words[word] = inode.flags;
      words[word + 1] = at - 4 * word;
      words[word + 2] = keyLength;
      words[word + 3] = valueLength;
    } else {
      words[word] = at - 4 * word;
      words[word + 1] = keyLength;
      writeUint64(words, word + 2, inode.pageId);
    }
    word += 4;
    if (inode.bytes !== runBytes || inode.offset !== runEnd) {
      if (runEnd > runStart) copyRange(runBytes, runStart, runEnd, bytes, runAt);
      runBytes = inode.bytes;
      runStart = inode.offset;
      runEnd = runStart;
      runAt = at;
    }
    runEnd += keyLength + valueLength;
    at += keyLength + valueLength;
  }
  if (runEnd > runStart) copyRange(runBytes, runStart, runEnd, bytes, runAt);
  return new Page(place.id, slab, start, place.length);
}
