import { elementSize, type Page, pageHeaderSize } from "./page.js";

/**
 * One element of a node being edited. Its key, with the value right behind it, lies in a page or in the transaction's
 * own memory; nothing is copied until the page is written. `bytes` begins where its buffer does.
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
    return new Uint8Array(this.bytes.buffer, this.offset, this.keyLength);
  }

  value(): Uint8Array {
    return new Uint8Array(this.bytes.buffer, this.offset + this.keyLength, this.valueLength);
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
    const { bytes, count, isLeaf } = page;
    const inodes: Inode[] = [];
    for (let index = 0; index < count; index++) {
      const offset = page.keyOffset(index);
      const keyLength = page.keyLength(index);
      inodes.push(
        isLeaf
          ? new Inode(bytes, offset, keyLength, page.valueLength(index), page.flags(index), 0)
          : new Inode(bytes, offset, keyLength, 0, 0, page.childId(index)),
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
    const length = key.length;
    let low = 0;
    let high = inodes.length;
    let lowShared = 0;
    let highShared = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { bytes, offset, keyLength } = inodes[middle]!;
      const shared = keyLength < length ? keyLength : length;
      let at = lowShared < highShared ? lowShared : highShared;
      while (at < shared && bytes[offset + at] === key[at]) at++;
      const order = at < shared ? bytes[offset + at]! - key[at]! : keyLength - length;
      if (order === 0) return middle;
      if (order < 0) {
        low = middle + 1;
        lowShared = at;
      } else {
        high = middle;
        highShared = at;
      }
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
