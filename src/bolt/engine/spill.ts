import { Inode, Node } from "./node.js";
import {
  branchFlag,
  compareRanges,
  elementSize,
  headRoom,
  leafFlag,
  Page,
  pageHeaderSize,
  writePageHeader,
  writeUint64,
} from "./page.js";
import { freeNode, type PageFreer } from "./rebalance.js";
import type { Slab, SlabAllocator } from "./slab.js";
import type { Tree } from "./tree.js";

/** A page keeps at least this many keys when a node is split. */
const minKeysPerPage = 2;

/** What the commit needs to write pages. */
export interface PageAllocator extends PageFreer {
  /** Room for finished pages. */
  readonly memory: SlabAllocator;
  /** Takes a run of adjacent pages; returns the first id. */
  allocatePages(count: number): number;
  /** Takes over a finished page, to be written. */
  addPage(page: Page): void;
}

/** Turns a tree's edited nodes into pages, children before parents, and sets the tree's new root. */
export function spill(tree: Tree, pageSize: number, pages: PageAllocator): void {
  if (tree.root === undefined) return;
  const threshold = Math.floor(pageSize * Math.min(Math.max(tree.fillPercent, 0.1), 1));
  let level: Node = tree.root;
  for (;;) {
    const written: Inode[] = [];
    spillNode(level, pageSize, threshold, pages, written);
    if (written.length === 1) {
      tree.rootId = written[0]!.pageId;
      tree.root = undefined;
      return;
    }
    // The old root became several pages: they get a branch above them.
    level = new Node(false, written);
  }
}

/** Writes a node and all edited ones below it; adds a branch element for each page to `written`. */
function spillNode(node: Node, pageSize: number, threshold: number, pages: PageAllocator, written: Inode[]): void {
  const patched = node.isLeaf ? undefined : spillChildren(node, pageSize, threshold, pages);
  freeNode(node, pages);
  if (patched) {
    written.push(patchBranch(patched.page, patched.childIds, pages));
    return;
  }
  const { inodes } = node;
  let size = node.size();
  let from = 0;
  // As in bbolt: what fits, or could not give two pages their minimum, stays whole.
  while (inodes.length - from > 2 * minKeysPerPage && size >= pageSize) {
    let part = pageHeaderSize;
    let to = from;
    for (; to < inodes.length - minKeysPerPage; to++) {
      const element = elementSize + inodes[to]!.keyLength + inodes[to]!.valueLength;
      if (to - from >= minKeysPerPage && part + element > threshold) break;
      part += element;
    }
    written.push(writeNode(node, from, to, part, pageSize, pages));
    size -= part - pageHeaderSize;
    from = to;
  }
  written.push(writeNode(node, from, inodes.length, size, pageSize, pages));
}

/** A branch whose page stays as it is, but for the pages that some of its children are on now. */
interface Patch {
  readonly page: Page;
  readonly childIds: ReadonlyMap<number, number>;
}

/** Writes a branch's edited children and puts their new pages in their place, or says how to patch the branch's page. */
function spillChildren(branch: Node, pageSize: number, threshold: number, pages: PageAllocator): Patch | undefined {
  const { page } = branch;
  const written = new Map<number, Inode[]>();
  const childIds = new Map<number, number>();
  for (const [index, child] of branch.editedChildren()) {
    const elements: Inode[] = [];
    spillNode(child, pageSize, threshold, pages, elements);
    written.set(index, elements);
    if (page && elements.length === 1 && hasKey(page, index, elements[0]!)) childIds.set(index, elements[0]!.pageId);
  }
  if (page && childIds.size === written.size) return { page, childIds };
  branch.inodes = branch.inodes.flatMap((inode, index) => written.get(index) ?? inode);
  return undefined;
}

function hasKey(page: Page, index: number, { bytes, offset, keyLength }: Inode): boolean {
  return compareRanges(page.bytes, page.keyOffset(index), page.keyLength(index), bytes, offset, keyLength) === 0;
}

/** Writes a branch page again with other child pages. */
function patchBranch(page: Page, childIds: ReadonlyMap<number, number>, pages: PageAllocator): Inode {
  const { length, overflow } = page;
  const id = pages.allocatePages(overflow + 1);
  pages.memory.take(length + headRoom(length));
  const { slab, start } = pages.memory;
  slab.bytes.set(page.view(), start);
  writePageHeader(slab.words, start >>> 2, id, branchFlag, page.count, overflow);
  for (const [index, childId] of childIds) writeUint64(slab.words, (start >>> 2) + 4 * index + 6, childId);
  const patched = new Page(id, slab, start, length);
  pages.addPage(patched);
  return new Inode(slab.bytes, patched.keyOffset(0), patched.keyLength(0), 0, 0, id);
}

function writeNode(node: Node, from: number, to: number, size: number, pageSize: number, pages: PageAllocator): Inode {
  const count = Math.ceil(size / pageSize);
  const id = pages.allocatePages(count);
  const { memory } = pages;
  const length = count * pageSize;
  memory.take(length + headRoom(pageSize));
  const { slab, start } = memory;
  const page = serializeNode(node, from, to, { id, overflow: count - 1, slab, start, length });
  pages.addPage(page);
  const key = from < to ? page.keyOffset(0) : 0;
  return new Inode(page.bytes, key, from < to ? page.keyLength(0) : 0, 0, 0, id);
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

/** Short ranges are faster copied here than by the call that copies long ones. */
function copyRange(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > 64) into.set(from.subarray(start, end), at);
  else for (let offset = start, to = at; offset < end; ) into[to++] = from[offset++]!;
}
