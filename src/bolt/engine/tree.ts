import { Inode, Node } from "./node.js";
import type { Page } from "./page.js";
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
  fillPercent: number;
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
    const leaf = this.#editLeaf(key);
    const index = leaf.findLeaf(key);
    if (index >= 0 && leaf.inodes[index]!.flags !== flags) return false;
    const inode = this.context.arena!.inode(key, value, flags);
    this.version++;
    this.context.changes++;
    if (index >= 0) {
      leaf.inodes[index] = inode;
      return true;
    }
    const atEnd = ~index === leaf.inodes.length;
    if (atEnd) leaf.inodes.push(inode);
    else leaf.inodes.splice(~index, 0, inode);
    if (leaf.inodes.length > maxNodeLength) this.#part(atEnd);
    return true;
  }

  /** Removes a key that is there. */
  delete(key: Uint8Array): void {
    const leaf = this.#editLeaf(key);
    const index = leaf.findLeaf(key);
    if (index < 0) return;
    leaf.inodes.splice(index, 1);
    leaf.unbalanced = true;
    this.version++;
    this.context.changes++;
  }

  /** The root as a node. */
  editRoot(): Node {
    if (this.root === undefined) {
      this.root = Node.fromPage(this.inline ?? this.context.pager.page(this.rootId));
      this.inline = undefined;
      this.version++;
    }
    return this.root;
  }

  /** A child as a node. */
  editChild(parent: Node, index: number): Node {
    const there = parent.child(index);
    if (there !== undefined) return there;
    const child = Node.fromPage(this.context.pager.page(parent.childId(index)));
    parent.setChild(index, child);
    this.version++;
    return child;
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

  /** Parts the nodes on the path that have grown too long, from the leaf up. */
  #part(atEnd: boolean): void {
    for (let depth = this.#path.length - 1; depth >= 0; depth--) {
      const node = this.#path[depth]!;
      if (node.inodes.length <= maxNodeLength) return;
      // Where keys come in order the left node is left full. A last node of one element may merge back at commit.
      const right = new Node(node.isLeaf, node.inodes.splice(atEnd ? maxNodeLength : maxNodeLength >>> 1));
      right.unbalanced = atEnd && node.isLeaf;
      const inode = Inode.of(right);
      if (depth === 0) {
        this.root = new Node(false, [Inode.of(node), inode]);
        return;
      }
      const parent = this.#path[depth - 1]!;
      const index = this.#indexes[depth - 1]!;
      parent.inodes[index]!.takeKey(node.inodes[0]!);
      if (index === parent.inodes.length - 1) parent.inodes.push(inode);
      else parent.inodes.splice(index + 1, 0, inode);
    }
  }
}
