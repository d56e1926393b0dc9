import { Fill } from "./fill.js";
import { Inode, Node } from "./node.js";
import { compareRanges } from "./compare-ranges.js";
import { pageHeaderSize, writeUint64 } from "./page-layout.js";
import { headRoom, Page } from "./page.js";
import { freeNode, type PageFreer } from "./rebalance.js";
import { cutPage, minKeysPerPage, serializeNode } from "./serialize.js";
import type { SlabAllocator } from "./slab.js";
import type { Tree } from "./tree.js";

/** What the commit needs to write pages. */
export interface PageAllocator extends PageFreer {
  /** Room for finished pages. */
  readonly memory: SlabAllocator;
  /** Takes a run of adjacent pages; returns the first id. */
  allocatePages(count: number, isLeaf: boolean): number;
  /** Takes over a finished page, to be written. */
  addPage(page: Page): void;
}

/** Turns a tree's edited nodes into pages, children before parents, and sets the tree's new root. */
export function spill(tree: Tree, pageSize: number, pages: PageAllocator): void {
  if (tree.root === undefined) return;
  const fill = new Fill(pageSize, tree.fillPercent);
  let level: Node = tree.root;
  for (;;) {
    const written: Inode[] = [];
    spillNode(level, fill, pages, written);
    if (written.length === 1) {
      tree.rootId = written[0]!.pageId;
      tree.root = undefined;
      return;
    }
    // The old root became several pages: they get a branch above them.
    const above = new Node(false, written);
    above.appended = level.appended;
    level = above;
  }
}

/** Writes a node and all edited ones below it; adds a branch element for each page to `written`. */
function spillNode(node: Node, fill: Fill, pages: PageAllocator, written: Inode[]): void {
  if (node.packed !== undefined) {
    written.push(placePage(node.packed, pages));
    return;
  }
  const patched = node.isLeaf ? undefined : spillChildren(node, fill, pages);
  freeNode(node, pages);
  if (patched) {
    written.push(patchBranch(patched, pages));
    return;
  }
  if (node.page !== undefined && node.overwritten !== undefined) {
    written.push(patchLeaf(node.page, node.overwritten, pages));
    return;
  }
  const { inodes } = node;
  const { pageSize } = fill;
  const threshold = fill.bytesOf(node);
  let size = node.size();
  let from = 0;
  // As in bbolt: what fits, or could not give two pages their minimum, stays whole.
  while (inodes.length - from > 2 * minKeysPerPage && size >= pageSize) {
    const part = cutPage(inodes, from, threshold);
    written.push(writeNode(node, from, part.to, part.size, pageSize, pages));
    size -= part.size - pageHeaderSize;
    from = part.to;
  }
  written.push(writeNode(node, from, inodes.length, size, pageSize, pages));
}

/** Gives a page that was packed already its place in the file. */
function placePage(packed: Page, pages: PageAllocator): Inode {
  const { bytes, words, start, length, overflow, isLeaf } = packed;
  const id = pages.allocatePages(overflow + 1, isLeaf);
  writeUint64(words, start >>> 2, id);
  const page = new Page(id, { bytes, words }, start, length);
  page.isLent = packed.isLent;
  pages.addPage(page);
  return elementOf(page);
}

/** A branch whose page stays as it is, but for the pages that some of its children are on now. */
interface Patch {
  readonly page: Page;
  /** The children that moved, by index, and where to. */
  readonly indexes: readonly number[];
  readonly childIds: readonly number[];
}

/** Writes a branch's edited children and puts their new pages in their place, or says how to patch the branch's page. */
function spillChildren(branch: Node, fill: Fill, pages: PageAllocator): Patch | undefined {
  const { page } = branch;
  const indexes: number[] = [];
  const childIds: number[] = [];
  const written: Inode[][] = [];
  for (const [index, child] of branch.editedChildren()) {
    const elements: Inode[] = [];
    spillNode(child, fill, pages, elements);
    indexes.push(index);
    written.push(elements);
    if (page && elements.length === 1 && hasKey(page, index, elements[0]!)) childIds.push(elements[0]!.pageId);
  }
  if (page && childIds.length === indexes.length) return { page, indexes, childIds };
  const elementsOf = new Map(indexes.map((index, at) => [index, written[at]!]));
  branch.inodes = branch.inodes.flatMap((inode, index) => elementsOf.get(index) ?? inode);
  return undefined;
}

function hasKey(page: Page, index: number, { bytes, offset, keyLength }: Inode): boolean {
  return compareRanges(page.bytes, page.keyOffset(index), page.keyLength(index), bytes, offset, keyLength) === 0;
}

/** Writes a branch page again with other child pages. */
function patchBranch({ page, indexes, childIds }: Patch, pages: PageAllocator): Inode {
  const copy = copyPage(page, pages);
  const firstId = (copy.start >>> 2) + 6;
  for (let at = 0; at < indexes.length; at++) writeUint64(copy.words, firstId + 4 * indexes[at]!, childIds[at]!);
  return elementOf(copy);
}

/** Writes a leaf page again with other values of the same lengths. */
function patchLeaf(page: Page, overwritten: ReadonlyMap<number, Inode>, pages: PageAllocator): Inode {
  const copy = copyPage(page, pages);
  for (const [index, inode] of overwritten) copy.bytes.set(inode.value(), copy.valueOffset(index));
  return elementOf(copy);
}

/** A page with the same bytes in another place; its keys stay as they are. */
function copyPage(page: Page, pages: PageAllocator): Page {
  const { length, overflow, isLeaf } = page;
  const id = pages.allocatePages(overflow + 1, isLeaf);
  pages.memory.takeUsed(length + headRoom(length));
  const { slab, start } = pages.memory;
  slab.bytes.set(page.view(), start);
  writeUint64(slab.words, start >>> 2, id);
  const copy = new Page(id, slab, start, length);
  copy.takeHeadsOf(page);
  pages.addPage(copy);
  return copy;
}

/** The branch element for a page. */
function elementOf(page: Page): Inode {
  return new Inode(page.bytes, page.keyOffset(0), page.keyLength(0), 0, 0, page.id);
}

function writeNode(node: Node, from: number, to: number, size: number, pageSize: number, pages: PageAllocator): Inode {
  const count = Math.ceil(size / pageSize);
  const id = pages.allocatePages(count, node.isLeaf);
  const { memory } = pages;
  const length = count * pageSize;
  memory.take(length + headRoom(pageSize));
  const { slab, start } = memory;
  const page = serializeNode(node, from, to, { id, overflow: count - 1, slab, start, length });
  pages.addPage(page);
  const key = from < to ? page.keyOffset(0) : 0;
  return new Inode(page.bytes, key, from < to ? page.keyLength(0) : 0, 0, 0, id);
}
