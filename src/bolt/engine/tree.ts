import { Fill } from "./fill.js";
import { Inode, Node } from "./node.js";
import { compareRange } from "./compare-ranges.js";
import type { Page } from "./page.js";
import { packFront } from "./pack.js";
import { maxDepth } from "./pager.js";
import type { TxContext } from "./tx-context.js";

/** Nodes with more elements are parted in memory, so that inserting stays cheap however large a transaction grows. */
const maxNodeLength = 256;

/** Read transactions remember no way to a node. */
const noPath: Node[] = [];
const noIndexes: number[] = [];

/** What a cursor stands on: a page as stored, or the node that a write transaction made of it. */
export type Level = Page | Node;

/**
 * One bucket's B+tree: committed pages, and over them the nodes that the transaction has changed. A node stays below
 * its parent's element until the commit turns it into pages.
 */
export class Tree {
  readonly context: TxContext;
  /** The root page's id; 0 while the tree is inline or new. */
  rootId: number;
  /** The page inside the parent bucket's value. */
  inline: Page | undefined;
  /** The root once it is being edited. */
  root: Node | undefined = undefined;
  /** Goes up with each change, so that cursors notice. */
  version = 0;
  /** Whether any node may have become too small. */
  mayBeUnbalanced = false;
  /** How full pages are made when they split; undefined where that is left to the order of the keys. */
  fillPercent: number | undefined;
  /** The tree's last leaf, when the key before was added at its end: keys that come in order need not look for it. */
  #lastLeaf: Node | undefined;
  readonly #path: Node[];
  readonly #indexes: number[];

  constructor(context: TxContext, rootId: number, inline?: Page) {
    this.context = context;
    this.#path = context.writable ? [] : noPath;
    this.#indexes = context.writable ? [] : noIndexes;
    this.fillPercent = context.fillPercent;
    this.rootId = rootId;
    this.inline = inline;
  }

  rootLevel(): Level {
    return this.root ?? this.inline ?? this.context.pager.page(this.rootId);
  }

  /** The page or node below a branch element. */
  childLevel(parent: Level, index: number): Level {
    if (!(parent instanceof Node)) return this.context.pager.child(parent, index);
    return parent.child(index) ?? this.context.pager.page(parent.childId(index));
  }

  /** The leaf where `key` is or would be. */
  findLeaf(key: Uint8Array): Level {
    let level = this.rootLevel();
    for (let depth = 0; !level.isLeaf; depth++) {
      if (depth > maxDepth) throw this.tooDeep();
      level = this.childLevel(level, level.findBranch(key));
    }
    return level;
  }

  /** The same where no node can be: the fast path of reads. */
  findLeafPage(key: Uint8Array): Page {
    const { pager } = this.context;
    let page = this.inline ?? pager.page(this.rootId);
    for (let depth = 0; !page.isLeaf; depth++) {
      if (depth > maxDepth) throw this.tooDeep();
      page = pager.child(page, page.findBranch(key));
    }
    return page;
  }

  /** Sets a key; false, and nothing is done, where one with other flags (a bucket or none) is in its place. */
  put(key: Uint8Array, value: Uint8Array, flags: number): boolean {
    if (this.#append(key, value, flags)) return true;
    const leaf = this.#editLeaf(key);
    const index = leaf.findLeaf(key);
    if (index >= 0 && leaf.flags(index) !== flags) return false;
    this.#set(leaf, index, key, value, flags);
    return true;
  }

  /**
   * Sets a plain key to what `make` gives for the value that is there, with one search for both; as `put`. `make` must not
   * touch the tree, nor keep what it is given.
   */
  replace(key: Uint8Array, make: (current: Uint8Array | undefined) => Uint8Array): boolean {
    const leaf = this.#editLeaf(key);
    const index = leaf.findLeaf(key);
    if (index >= 0 && leaf.flags(index) !== 0) return false;
    this.#set(leaf, index, key, make(index >= 0 ? leaf.peekValue(index) : undefined), 0);
    return true;
  }

  /** Sets the element at `index` of the leaf that the path leads to, or adds it there. */
  #set(leaf: Node, index: number, key: Uint8Array, value: Uint8Array, flags: number): void {
    const inode = this.context.arena!.inode(key, value, flags);
    this.version++;
    this.context.changes++;
    this.#lastLeaf = undefined;
    if (index >= 0) {
      if (!leaf.overwrite(index, inode)) leaf.inodes[index] = inode;
      leaf.appended = Number.NEGATIVE_INFINITY;
      return;
    }
    const atEnd = ~index === leaf.inodes.length;
    if (atEnd) {
      leaf.inodes.push(inode);
      leaf.appended++;
      if (this.#isLast()) this.#lastLeaf = leaf;
    } else {
      leaf.inodes.splice(~index, 0, inode);
      leaf.appended = Number.NEGATIVE_INFINITY;
    }
    if (leaf.inodes.length > maxNodeLength) this.#part(atEnd);
  }

  /** Adds a key above all others, where the one before was such a key too and its leaf has room. */
  #append(key: Uint8Array, value: Uint8Array, flags: number): boolean {
    const leaf = this.#lastLeaf;
    if (leaf === undefined) return false;
    const { inodes } = leaf;
    const last = inodes[inodes.length - 1];
    if (last === undefined || inodes.length >= maxNodeLength) return false;
    if (compareRange(last.bytes, last.offset, last.keyLength, key) >= 0) return false;
    inodes.push(this.context.arena!.inode(key, value, flags));
    leaf.appended++;
    this.version++;
    this.context.changes++;
    return true;
  }

  /** Whether the path leads to the tree's last leaf. */
  #isLast(): boolean {
    for (let depth = this.#path.length - 2; depth >= 0; depth--) {
      if (this.#indexes[depth]! + 1 < this.#path[depth]!.count) return false;
    }
    return true;
  }

  /** Removes a key that is there. */
  delete(key: Uint8Array): void {
    const leaf = this.#editLeaf(key);
    const index = leaf.findLeaf(key);
    if (index < 0) return;
    leaf.inodes.splice(index, 1);
    leaf.unbalanced = true;
    this.mayBeUnbalanced = true;
    leaf.appended = Number.NEGATIVE_INFINITY;
    this.version++;
    this.context.changes++;
  }

  /** The root as a node. */
  editRoot(): Node {
    if (this.root === undefined) {
      this.root = this.#edit(this.inline ?? this.context.pager.page(this.rootId));
      this.inline = undefined;
      this.version++;
    }
    return this.root;
  }

  /** A child as a node. */
  editChild(parent: Node, index: number): Node {
    const there = parent.child(index);
    if (there !== undefined) return there;
    const child = this.#edit(this.context.pager.page(parent.childId(index)));
    parent.setChild(index, child);
    this.version++;
    return child;
  }

  #edit(page: Page): Node {
    if (page.isLeaf) this.context.edited.leaves++;
    else this.context.edited.branches++;
    return Node.fromPage(page);
  }

  tooDeep(): Error {
    return this.context.pager.corrupt(
      this.rootId,
      `roots a tree deeper than ${maxDepth} levels: its pages form a circle`,
    );
  }

  /** The leaf for `key` as a node; the way to it stays in the path. */
  #editLeaf(key: Uint8Array): Node {
    let node = this.editRoot();
    let depth = 0;
    while (!node.isLeaf) {
      if (depth > maxDepth) throw this.tooDeep();
      const index = node.findBranch(key);
      this.#path[depth] = node;
      this.#indexes[depth] = index;
      node = this.editChild(node, index);
      depth++;
    }
    this.#path[depth] = node;
    this.#path.length = depth + 1;
    return node;
  }

  /** Makes the nodes on the path that have grown too long shorter, from the leaf up. */
  #part(atEnd: boolean): void {
    this.#lastLeaf = undefined;
    for (let depth = this.#path.length - 1; depth >= 0; depth--) {
      const node = this.#path[depth]!;
      if (node.inodes.length <= maxNodeLength) return;
      this.mayBeUnbalanced = true;
      const before = node.isLeaf && atEnd && node.keysComeInOrder ? this.#pack(node) : [];
      const after = before.length === 0 ? [splitOff(node, atEnd)] : [];
      this.#replace(depth, [...before, node, ...after]);
    }
  }

  /** Turns most of the last leaf into pages. */
  #pack(leaf: Node): Node[] {
    const { pager } = this.context;
    return packFront(leaf, new Fill(pager.pageSize, this.fillPercent), pager.writeMemory);
  }

  /** Puts several nodes in the place of the one at this depth of the path. */
  #replace(depth: number, nodes: readonly Node[]): void {
    const elements = nodes.map((node) => Inode.of(node));
    if (depth === 0) {
      this.root = new Node(false, elements);
      return;
    }
    const parent = this.#path[depth - 1]!;
    const index = this.#indexes[depth - 1]!;
    const wasLast = index === parent.inodes.length - 1;
    parent.inodes.splice(index, 1, ...elements);
    if (wasLast) parent.appended += elements.length - 1;
    else parent.appended = Number.NEGATIVE_INFINITY;
  }
}

/** Takes the second half of a node off it; where its keys came in order, only the last one, so that it stays full. */
function splitOff(node: Node, atEnd: boolean): Node {
  const right = new Node(node.isLeaf, node.inodes.splice(atEnd ? maxNodeLength : maxNodeLength >>> 1));
  // A leaf of one element may merge back at commit.
  right.unbalanced = atEnd && node.isLeaf;
  right.appended = node.appended;
  return right;
}
