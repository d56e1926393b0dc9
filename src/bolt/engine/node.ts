import { elementSize, pageHeaderSize } from "./page-layout.js";
import type { Page } from "./page.js";

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
    const { page } = child;
    const first = page === undefined ? child.inodes[0]! : undefined;
    const inode =
      first === undefined
        ? new Inode(page!.bytes, page!.keyOffset(0), page!.keyLength(0), 0, 0, 0)
        : new Inode(first.bytes, first.offset, first.keyLength, 0, 0, 0);
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

/**
 * A page being edited, or a new one. It may hold more than a page does until it is written.
 *
 * The page is taken apart into `inodes` only when they are asked for. Most branches never are: all that changes in them
 * is which pages their edited children end up on.
 */
export class Node {
  readonly isLeaf: boolean;
  /** The page it was read from, 0 for a new node, and how many pages that takes. */
  pageId: number;
  pageCount: number;
  /** Something was deleted: see whether it has become too small. */
  unbalanced = false;
  /** How many elements were added behind all others; below zero once one was set anywhere else. */
  appended = 0;
  /** The page while it is whole, and by index those of its children that are being edited, or of its values that were
   * overwritten by others of the same length. */
  #page: Page | undefined;
  #isPacked = false;
  #children: Map<number, Node> | undefined;
  #overwritten: Map<number, Inode> | undefined;
  #inodes: Inode[];

  constructor(isLeaf: boolean, inodes: Inode[] = [], page?: Page) {
    this.isLeaf = isLeaf;
    this.#inodes = inodes;
    this.#page = page;
    this.pageId = page?.id ?? 0;
    this.pageCount = page === undefined || page.id === 0 ? 0 : page.overflow + 1;
  }

  static fromPage(page: Page): Node {
    return new Node(page.isLeaf, [], page);
  }

  /** A new node whose page is made up already, but for its place in the file. */
  static ofPacked(page: Page): Node {
    const node = new Node(page.isLeaf, [], page);
    node.#isPacked = true;
    return node;
  }

  /** The page of a node that has only to be given its place. */
  get packed(): Page | undefined {
    return this.#isPacked && this.#overwritten === undefined ? this.#page : undefined;
  }

  /** Whether so many elements were added at the end that more will follow there, and none in between. */
  get keysComeInOrder(): boolean {
    return this.appended >= 16;
  }

  /** The page it was read from, as long as nothing but its children changed. */
  get page(): Page | undefined {
    return this.#page;
  }

  get inodes(): Inode[] {
    if (this.#page !== undefined) this.#takeApart(this.#page);
    return this.#inodes;
  }

  set inodes(inodes: Inode[]) {
    this.#page = undefined;
    this.#children = undefined;
    this.#overwritten = undefined;
    this.#inodes = inodes;
  }

  get count(): number {
    return this.#page === undefined ? this.#inodes.length : this.#page.count;
  }

  /** Sets a leaf's value in place where that is possible: the page is whole, and the value there as long as this one. */
  overwrite(index: number, inode: Inode): boolean {
    const page = this.#page;
    if (page === undefined || page.valueLength(index) !== inode.valueLength) return false;
    this.#overwritten ??= new Map();
    this.#overwritten.set(index, inode);
    return true;
  }

  /** The values that were overwritten in a whole page. */
  get overwritten(): ReadonlyMap<number, Inode> | undefined {
    return this.#overwritten;
  }

  /** The page of a branch's child. */
  childId(index: number): number {
    return this.#page === undefined ? this.#inodes[index]!.pageId : this.#page.childId(index);
  }

  /** A branch's child, if it is being edited. */
  child(index: number): Node | undefined {
    return this.#page === undefined ? this.#inodes[index]!.child : this.#children?.get(index);
  }

  setChild(index: number, child: Node): void {
    if (this.#page === undefined) {
      this.#inodes[index]!.child = child;
      return;
    }
    this.#children ??= new Map();
    this.#children.set(index, child);
  }

  /** The children that are being edited, with their indexes, in order. */
  editedChildren(): [number, Node][] {
    if (this.#page !== undefined) {
      const children = this.#children === undefined ? [] : [...this.#children];
      return children.length < 2 ? children : children.sort(([left], [right]) => left - right);
    }
    return this.#inodes.flatMap(({ child }, index): [number, Node][] => (child ? [[index, child]] : []));
  }

  #takeApart(page: Page): void {
    // Views of its elements are made without asking the page.
    page.isLent = true;
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
    for (const [index, child] of this.#children ?? []) inodes[index]!.child = child;
    for (const [index, inode] of this.#overwritten ?? []) inodes[index] = inode;
    this.inodes = inodes;
  }

  /** Bytes it takes when written. */
  size(): number {
    let size = pageHeaderSize + elementSize * this.inodes.length;
    for (const inode of this.inodes) size += inode.keyLength + inode.valueLength;
    return size;
  }

  key(index: number): Uint8Array {
    return this.#page === undefined ? this.#inodes[index]!.key() : this.#page.key(index);
  }

  value(index: number): Uint8Array {
    if (this.#page === undefined) return this.#inodes[index]!.value();
    return this.#overwritten?.get(index)?.value() ?? this.#page.value(index);
  }

  /** As `Page.peekValue`. */
  peekValue(index: number): Uint8Array {
    if (this.#page === undefined || this.#overwritten?.has(index)) return this.value(index);
    return this.#page.peekValue(index);
  }

  flags(index: number): number {
    return this.#page === undefined ? this.#inodes[index]!.flags : this.#page.flags(index);
  }

  /** As `Page.findLeaf`. */
  findLeaf(key: Uint8Array): number {
    if (this.#page !== undefined) return this.#page.findLeaf(key);
    const inodes = this.#inodes;
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
    if (this.#page !== undefined) return this.#page.findBranch(key);
    const index = this.findLeaf(key);
    if (index >= 0) return index;
    return ~index === 0 ? 0 : ~index - 1;
  }
}
