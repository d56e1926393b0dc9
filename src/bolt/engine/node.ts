import { compareRange, elementSize, type Page, pageHeaderSize } from "./page.js";

/**
 * One element of a node being edited. Its key, with the value right behind it, lies in a page or in the transaction's
 * own memory; nothing is copied until the page is written.
 */
export class Inode {
  bytes: Uint8Array;
  offset: number;
  keyLength: number;
  /** Leaf only. */
  valueLength: number;
  flags: number;
  /** Branch only: the child's page, and the child itself once it is being edited. */
  pageId: number;
  child: Node | undefined;

  constructor(
    bytes: Uint8Array,
    offset: number,
    keyLength: number,
    valueLength: number,
    flags: number,
    pageId: number,
  ) {
    this.bytes = bytes;
    this.offset = offset;
    this.keyLength = keyLength;
    this.valueLength = valueLength;
    this.flags = flags;
    this.pageId = pageId;
    this.child = undefined;
  }

  /** A branch element for a node that has no page yet. */
  static of(child: Node): Inode {
    const first = child.inodes[0]!;
    const inode = new Inode(first.bytes, first.offset, first.keyLength, 0, 0, 0);
    inode.child = child;
    return inode;
  }

  /** Takes over the key of another element. */
  takeKey(from: Inode): void {
    this.bytes = from.bytes;
    this.offset = from.offset;
    this.keyLength = from.keyLength;
  }

  key(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + this.offset, this.keyLength);
  }

  value(): Uint8Array {
    const start = this.bytes.byteOffset + this.offset + this.keyLength;
    return new Uint8Array(this.bytes.buffer, start, this.valueLength);
  }
}

/** A page taken apart for editing, or a new one. It may hold more than a page does until it is written. */
export class Node {
  readonly isLeaf: boolean;
  inodes: Inode[];
  /** The page it was read from, 0 for a new node, and how many pages that takes. */
  pageId: number;
  pageCount: number;
  /** Something was deleted: see whether it has become too small. */
  unbalanced = false;

  constructor(isLeaf: boolean, inodes: Inode[] = [], pageId = 0, pageCount = 0) {
    this.isLeaf = isLeaf;
    this.inodes = inodes;
    this.pageId = pageId;
    this.pageCount = pageCount;
  }

  static fromPage(page: Page): Node {
    const { bytes, words, count, isLeaf } = page;
    const inodes: Inode[] = [];
    for (let index = 0; index < count; index++) {
      const at = 4 * index + 4;
      const start = pageHeaderSize + elementSize * index;
      inodes.push(
        isLeaf
          ? new Inode(bytes, start + words[at + 1]!, words[at + 2]!, words[at + 3]!, words[at]!, 0)
          : new Inode(bytes, start + words[at]!, words[at + 1]!, 0, 0, page.childId(index)),
      );
    }
    return new Node(isLeaf, inodes, page.id, page.id === 0 ? 0 : page.overflow + 1);
  }

  get count(): number {
    return this.inodes.length;
  }

  /** Bytes it takes when written. */
  size(): number {
    let size = pageHeaderSize + elementSize * this.inodes.length;
    for (const inode of this.inodes) size += inode.keyLength + inode.valueLength;
    return size;
  }

  key(index: number): Uint8Array {
    return this.inodes[index]!.key();
  }

  value(index: number): Uint8Array {
    return this.inodes[index]!.value();
  }

  flags(index: number): number {
    return this.inodes[index]!.flags;
  }

  /** As `Page.findLeaf`. */
  findLeaf(key: Uint8Array): number {
    const { inodes } = this;
    let low = 0;
    let high = inodes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const inode = inodes[middle]!;
      const order = compareRange(inode.bytes, inode.offset, inode.keyLength, key);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** As `Page.findBranch`. */
  findBranch(key: Uint8Array): number {
    const index = this.findLeaf(key);
    if (index >= 0) return index;
    return ~index === 0 ? 0 : ~index - 1;
  }
}
