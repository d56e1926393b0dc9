import { EngineError } from "./errors.js";
import { type Inode, Node } from "./node.js";
import { bucketFlag } from "./page-layout.js";
import type { Page } from "./page.js";
import { maxDepth } from "./pager.js";
import type { Level, Tree } from "./tree.js";
import { assertOpen, assertWritable } from "./tx-context.js";

/**
 * Walks a bucket's keys in order. `first`, `last`, `next`, `prev` and `seek` say whether they found an element; `key`
 * and `value` are views made on demand, valid as long as they are held and never to be written to.
 *
 * The bucket may be changed meanwhile, through the cursor or not: `next` and `prev` go on from the last key.
 */
export class Cursor {
  readonly #tree: Tree;
  readonly #levels: Level[] = [];
  readonly #indexes: number[] = [];
  #depth = 0;
  #leaf: Level;
  #index = -1;
  #where: "start" | "element" | "end" = "start";
  /** In a write transaction: the element stood on, and the tree's version then. */
  #inode: Inode | undefined;
  #version = -1;

  /** @internal */
  constructor(tree: Tree) {
    this.#tree = tree;
    assertOpen(tree.context);
    this.#leaf = tree.rootLevel();
  }

  /** The key stood on, undefined outside the elements. */
  get key(): Uint8Array | undefined {
    assertOpen(this.#tree.context);
    if (this.#where !== "element") return undefined;
    return this.#inode ? this.#inode.key() : this.#leaf.key(this.#index);
  }

  /** The value stood on, undefined for a nested bucket. */
  get value(): Uint8Array | undefined {
    assertOpen(this.#tree.context);
    if (this.#where !== "element" || this.isBucket) return undefined;
    return this.#inode ? this.#inode.value() : this.#leaf.value(this.#index);
  }

  /** Whether the element stood on is a nested bucket. */
  get isBucket(): boolean {
    assertOpen(this.#tree.context);
    if (this.#where !== "element") return false;
    return ((this.#inode ? this.#inode.flags : this.#leaf.flags(this.#index)) & bucketFlag) !== 0;
  }

  /** Goes to the lowest key. */
  first(): boolean {
    this.#restart();
    this.#descendFirst();
    if (this.#leaf.count > 0) return this.#settle(0);
    this.#index = -1;
    return this.#nextLeaf();
  }

  /** Goes to the highest key. */
  last(): boolean {
    this.#restart();
    this.#descendLast();
    if (this.#leaf.count > 0) return this.#settle(this.#leaf.count - 1);
    this.#index = 0;
    return this.#previousLeaf();
  }

  /** Goes one key up; before the first call, and after `prev` ran out, to the lowest. */
  next(): boolean {
    if (this.#where === "element" && this.#version === this.#tree.version) {
      if (this.#tree.context.closed) assertOpen(this.#tree.context);
      const index = this.#index + 1;
      if (index < this.#leaf.count) return this.#settle(index);
      return this.#nextLeaf();
    }
    if (this.#where === "end") return false;
    if (this.#where === "start") return this.first();
    const from = this.key!;
    if (!this.seek(from)) return false;
    // Where the key has gone meanwhile, this is the next one already.
    return Buffer.compare(this.key!, from) === 0 ? this.next() : true;
  }

  /** @internal In a read transaction: the page and the element stood on. */
  position(): { readonly page: Page; readonly index: number } {
    assertOpen(this.#tree.context);
    return { page: this.#leaf as Page, index: this.#index };
  }

  /** @internal In a read transaction: goes to the first element of the next page. */
  nextPage(): boolean {
    return this.#nextLeaf();
  }

  /** Goes one key down; after `next` ran out, and before the first call, to the highest. */
  prev(): boolean {
    if (this.#where === "element" && this.#version === this.#tree.version) {
      assertOpen(this.#tree.context);
      if (this.#index > 0) return this.#settle(this.#index - 1);
      return this.#previousLeaf();
    }
    if (this.#where !== "element") return this.#where === "end" || this.#version === -1 ? this.last() : false;
    return this.seek(this.key!) ? this.prev() : this.last();
  }

  /** Goes to `key`, or the next one above it. */
  seek(key: Uint8Array): boolean {
    const tree = this.#tree;
    this.#restart();
    let level = tree.rootLevel();
    while (!level.isLeaf) level = this.#enter(level, level.findBranch(key));
    this.#leaf = level;
    const found = level.findLeaf(key);
    const index = found < 0 ? ~found : found;
    if (index < level.count) return this.#settle(index);
    this.#index = level.count - 1;
    return this.#nextLeaf();
  }

  /** Deletes the element stood on. `key` and `value` still tell it, and `next` goes to the one behind it. */
  delete(): void {
    const { context } = this.#tree;
    assertWritable(context);
    const { path } = context.pager.storage;
    if (this.#where !== "element") {
      throw new EngineError("INVALID_ARGUMENT", `${path}: the cursor stands on no key to delete`, { path });
    }
    if (this.isBucket) {
      throw new EngineError("INCOMPATIBLE", `${path}: the cursor stands on a bucket; use deleteBucket()`, { path });
    }
    const { key } = this;
    const index = this.#index;
    const page = this.#inode ? undefined : (this.#leaf as Page);
    this.#tree.delete(key!);
    // A page's element is remembered too, for after the deletion it is in the tree no more.
    if (page) this.#inode = Node.fromPage(page).inodes[index];
  }

  #restart(): void {
    assertOpen(this.#tree.context);
    this.#depth = 0;
    this.#version = this.#tree.version;
  }

  /** Stands on an element of the current leaf. */
  #settle(index: number): true {
    this.#index = index;
    this.#where = "element";
    const leaf = this.#leaf;
    this.#inode = leaf instanceof Node ? leaf.inodes[index] : undefined;
    return true;
  }

  /** Goes down one level, remembering the way. */
  #enter(level: Level, index: number): Level {
    if (this.#depth > maxDepth) throw this.#tree.tooDeep();
    this.#levels[this.#depth] = level;
    this.#indexes[this.#depth] = index;
    this.#depth++;
    return this.#tree.childLevel(level, index);
  }

  #descendFirst(level: Level = this.#tree.rootLevel()): void {
    let at = level;
    while (!at.isLeaf) at = this.#enter(at, 0);
    this.#leaf = at;
  }

  #descendLast(level: Level = this.#tree.rootLevel()): void {
    let at = level;
    while (!at.isLeaf) at = this.#enter(at, at.count - 1);
    this.#leaf = at;
  }

  /** Goes to the first element of the next leaf that has any. */
  #nextLeaf(): boolean {
    assertOpen(this.#tree.context);
    const from = this.#leaf;
    let empty = 0;
    for (;;) {
      let depth = this.#depth - 1;
      while (depth >= 0 && this.#indexes[depth]! + 1 >= this.#levels[depth]!.count) depth--;
      if (depth < 0) {
        this.#where = "end";
        return false;
      }
      this.#depth = depth;
      this.#descendFirst(this.#enter(this.#levels[depth]!, this.#indexes[depth]! + 1));
      if (this.#leaf.count === 0) {
        this.#countEmpty(++empty);
        continue;
      }
      this.#checkOrder(from, this.#leaf);
      return this.#settle(0);
    }
  }

  /** Goes to the last element of the leaf before that has any. */
  #previousLeaf(): boolean {
    assertOpen(this.#tree.context);
    const from = this.#leaf;
    let empty = 0;
    for (;;) {
      let depth = this.#depth - 1;
      while (depth >= 0 && this.#indexes[depth] === 0) depth--;
      if (depth < 0) {
        this.#where = "start";
        return false;
      }
      this.#depth = depth;
      this.#descendLast(this.#enter(this.#levels[depth]!, this.#indexes[depth]! - 1));
      if (this.#leaf.count === 0) {
        this.#countEmpty(++empty);
        continue;
      }
      this.#checkOrder(this.#leaf, from);
      return this.#settle(this.#leaf.count - 1);
    }
  }

  /** Keys must go up from leaf to leaf: this makes sure that a walk of a damaged file ends. */
  #checkOrder(left: Level, right: Level): void {
    if (left.count === 0 || Buffer.compare(left.key(left.count - 1), right.key(0)) < 0) return;
    const id = right instanceof Node ? right.pageId : right.id;
    throw this.#tree.context.pager.corrupt(id, "starts with a key not above the last one of the page before it");
  }

  /** Empty leaves have no order to check, but there cannot be more of them than pages. */
  #countEmpty(count: number): void {
    if (count > this.#tree.context.pager.highWater) throw this.#tree.tooDeep();
  }
}
