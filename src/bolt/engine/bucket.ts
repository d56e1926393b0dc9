import {
  type BucketHeader,
  countUp,
  readBucketHeader,
  readSequence,
  writeBucketHeader,
  writeSequence,
} from "./bucket-header.js";
import { nameBytes, nameId, nameOfId, nameText } from "./bucket-name.js";
import { type BucketStats, bucketStats } from "./bucket-stats.js";
import { Cursor } from "./cursor.js";
import { EngineError } from "./errors.js";
import { defaultFillPercent } from "./fill.js";
import { freeTree } from "./free-tree.js";
import { fitsInline, inlineValue } from "./inline-bucket.js";
import { Node } from "./node.js";
import { bucketFlag, maxKeySize, maxValueSize } from "./page-layout.js";
import type { Page } from "./page.js";
import { freeNode, rebalance } from "./rebalance.js";
import { type PageAllocator, spill } from "./spill.js";
import { type Level, Tree } from "./tree.js";
import { assertOpen, assertWritable, type TxContext } from "./tx-context.js";

/** What every bucket of a read transaction has, for making a map costs as much as a get. */
const noChildren = new Map<string, Bucket>();

/**
 * Keys with values, and nested buckets, in one transaction. Keys are 1 to 32,768 bytes, values up to 2^31 - 2. Bytes
 * returned are views, valid as long as they are held; they must not be written to.
 */
export class Bucket {
  readonly #context: TxContext;
  readonly #tree: Tree;
  readonly #header: BucketHeader;
  readonly #parent: Bucket | undefined;
  /** Nested buckets opened by a write transaction: each has one object, so that none overwrites another's changes. */
  readonly #children: Map<string, Bucket>;
  #headerChanged = false;
  #deleted = false;

  /** @internal */
  constructor(context: TxContext, header: BucketHeader, parent?: Bucket) {
    this.#parent = parent;
    const { rootId } = header;
    for (let above = parent; above; above = above.#parent) {
      if (rootId !== 0 && above.#header.rootId === rootId)
        throw context.pager.corrupt(rootId, "is the root of a bucket inside itself");
    }
    this.#context = context;
    this.#children = context.writable ? new Map<string, Bucket>() : noChildren;
    this.#header = header;
    this.#tree = new Tree(context, header.rootId, header.inline);
  }

  /**
   * How full pages are made when they split, 0.1 to 1; for this transaction. Default as the database was opened, else 0.5,
   * and 1 for pages whose keys come in order.
   */
  get fillPercent(): number {
    return this.#tree.fillPercent ?? defaultFillPercent;
  }

  set fillPercent(percent: number) {
    this.#tree.fillPercent = percent;
  }

  /** The value of `key`; undefined when it is absent or a nested bucket. */
  get(key: Uint8Array): Uint8Array | undefined {
    const context = this.#context;
    if (context.closed || this.#deleted) this.#assertUsable();
    if (!context.writable) {
      const page = this.#tree.findLeafPage(key);
      const index = page.findLeaf(key);
      return index < 0 || page.flags(index) !== 0 ? undefined : page.value(index);
    }
    const leaf = this.#tree.findLeaf(key);
    const index = leaf.findLeaf(key);
    return index < 0 || leaf.flags(index) !== 0 ? undefined : leaf.value(index);
  }

  /** @internal Where a read transaction finds `key`; undefined when it is absent or a nested bucket. */
  locate(key: Uint8Array): { readonly page: Page; readonly index: number } | undefined {
    const context = this.#context;
    if (context.closed) this.#assertUsable();
    const page = this.#tree.findLeafPage(key);
    const index = page.findLeaf(key);
    return index < 0 || page.flags(index) !== 0 ? undefined : { page, index };
  }

  /** Sets `key`; both are copied. Throws INCOMPATIBLE where a nested bucket has this name. */
  put(key: Uint8Array, value: Uint8Array): void {
    this.#assertWritable();
    if (!(key instanceof Uint8Array)) throw this.#invalid("a key must be a Uint8Array");
    if (!(value instanceof Uint8Array)) throw this.#invalid("a value must be a Uint8Array");
    this.#checkKeyLength(key);
    if (value.length > maxValueSize) throw this.#invalid(`a value must not be longer than ${maxValueSize} bytes`);
    if (!this.#tree.put(key, value, 0)) throw this.#incompatible(key, "is a bucket, not a key");
  }

  /** @internal Sets `key` to what `make` gives for its value; one search does for both. */
  replace(key: Uint8Array, make: (current: Uint8Array | undefined) => Uint8Array): void {
    this.#assertWritable();
    this.#checkKeyLength(key);
    if (!this.#tree.replace(key, make)) throw this.#incompatible(key, "is a bucket, not a key");
  }

  /** Deletes `key`; says whether it was there. Throws INCOMPATIBLE where it is a nested bucket. */
  delete(key: Uint8Array): boolean {
    this.#assertWritable();
    const leaf = this.#tree.findLeaf(key);
    const index = leaf.findLeaf(key);
    if (index < 0) return false;
    if (leaf.flags(index) !== 0) throw this.#incompatible(key, "is a bucket; use deleteBucket()");
    this.#tree.delete(key);
    return true;
  }

  /** The nested bucket with this name; undefined when it is absent or a plain key. */
  bucket(name: string | Uint8Array): Bucket | undefined {
    this.#assertUsable();
    const key = nameBytes(name);
    if (!this.#context.writable) {
      const header = this.findHeader(key);
      return header && new Bucket(this.#context, header, this);
    }
    const id = nameId(key);
    const open = this.#children.get(id);
    if (open) return open;
    const header = this.findHeader(key);
    if (!header) return undefined;
    const child = new Bucket(this.#context, header, this);
    this.#children.set(id, child);
    return child;
  }

  /** Creates a nested bucket. Throws BUCKET_EXISTS, or INCOMPATIBLE where a plain key has this name. */
  createBucket(name: string | Uint8Array): Bucket {
    this.#assertWritable();
    const key = nameBytes(name);
    this.#checkKeyLength(key);
    const leaf = this.#tree.findLeaf(key);
    const index = leaf.findLeaf(key);
    if (index >= 0) {
      if (leaf.flags(index) === 0) throw this.#incompatible(key, "is a key, not a bucket");
      throw this.#error("BUCKET_EXISTS", `bucket ${nameText(key)} exists already`);
    }
    const header: BucketHeader = { rootId: 0, sequenceLow: 0, sequenceHigh: 0, inline: undefined };
    const child = new Bucket(this.#context, header);
    const root = new Node(true);
    child.#tree.root = root;
    this.#tree.put(key, inlineValue(header, root), bucketFlag);
    this.#children.set(nameId(key), child);
    return child;
  }

  createBucketIfNotExists(name: string | Uint8Array): Bucket {
    this.#assertWritable();
    return this.bucket(name) ?? this.createBucket(name);
  }

  /** Deletes a nested bucket with all that it holds. Throws BUCKET_NOT_FOUND, or INCOMPATIBLE for a plain key. */
  deleteBucket(name: string | Uint8Array): void {
    this.#assertWritable();
    const key = nameBytes(name);
    const leaf = this.#tree.findLeaf(key);
    const index = leaf.findLeaf(key);
    if (index < 0) throw this.#error("BUCKET_NOT_FOUND", `there is no bucket ${nameText(key)}`);
    if (leaf.flags(index) === 0) throw this.#incompatible(key, "is a key, not a bucket");
    this.bucket(key)!.#free();
    this.#children.delete(nameId(key));
    this.#tree.delete(key);
  }

  /** A cursor over keys and nested buckets, standing before the first. */
  cursor(): Cursor {
    this.#assertUsable();
    return new Cursor(this.#tree);
  }

  /** Calls `fn` for each key in order; `value` is undefined for nested buckets. */
  forEach(fn: (key: Uint8Array, value: Uint8Array | undefined) => void): void {
    const cursor = this.cursor();
    for (let found = cursor.first(); found; found = cursor.next()) fn(cursor.key!, cursor.value);
  }

  /** The bucket's counter, kept with it: 0 at first. */
  get sequence(): bigint {
    return readSequence(this.#header);
  }

  /** Sets the counter: 0 to 2^64 - 1. */
  setSequence(value: bigint): void {
    this.#assertWritable();
    if (value < 0n || value >= 1n << 64n) throw this.#invalid("a sequence must be from 0 to 2^64 - 1");
    writeSequence(this.#header, value);
    this.#headerChanged = true;
    this.#context.changes++;
  }

  /** Adds one to the counter and returns it. */
  nextSequence(): bigint {
    this.#assertWritable();
    countUp(this.#header);
    this.#headerChanged = true;
    this.#context.changes++;
    return this.sequence;
  }

  /** Counts pages, keys and bytes, nested buckets included, as last committed. Reads the whole bucket. */
  stats(): BucketStats {
    this.#assertUsable();
    return bucketStats(this.#context.pager, this.#header);
  }

  /** @internal The header of a nested bucket, read from this one. */
  findHeader(key: Uint8Array): BucketHeader | undefined {
    const leaf = this.#tree.findLeaf(key);
    const index = leaf.findLeaf(key);
    if (index < 0 || leaf.flags(index) === 0) return undefined;
    return readBucketHeader(this.#context.pager, pageIdOf(leaf), leaf.value(index));
  }

  /** @internal Whether this transaction changed the bucket or one within it. */
  get changed(): boolean {
    if (this.#headerChanged || this.#tree.root !== undefined) return true;
    for (const child of this.#children.values()) if (child.changed) return true;
    return false;
  }

  /** @internal Makes pages of all changes, nested buckets first; returns the root page's id. */
  write(pages: PageAllocator): number {
    const { pageSize } = this.#context.pager;
    this.#writeChildren(pages);
    rebalance(this.#tree, pageSize, pages);
    spill(this.#tree, pageSize, pages);
    return this.#tree.rootId;
  }

  #writeChildren(pages: PageAllocator): void {
    for (const [id, child] of this.#children) {
      if (child.changed) this.#tree.put(nameOfId(id), child.#writeNested(pages), bucketFlag);
    }
  }

  /** Writes the bucket; returns its value in the parent. */
  #writeNested(pages: PageAllocator): Uint8Array {
    const { pageSize } = this.#context.pager;
    this.#writeChildren(pages);
    this.#children.clear();
    if (this.#tree.rootId === 0) this.#tree.editRoot();
    rebalance(this.#tree, pageSize, pages);
    const { root } = this.#tree;
    if (fitsInline(root, pageSize)) {
      freeNode(root, pages);
      this.#header.rootId = 0;
      return inlineValue(this.#header, root);
    }
    spill(this.#tree, pageSize, pages);
    this.#header.rootId = this.#tree.rootId;
    return writeBucketHeader(this.#header).value;
  }

  /** Frees all pages, for a bucket that is deleted. */
  #free(): void {
    freeTree(this.#tree, (name) => this.bucket(name)!.#free());
    this.#deleted = true;
  }

  #assertUsable(): void {
    assertOpen(this.#context);
    if (this.#deleted) throw this.#error("CLOSED", "the bucket was deleted in this transaction");
  }

  #assertWritable(): void {
    assertWritable(this.#context);
    if (this.#deleted) this.#assertUsable();
  }

  #checkKeyLength(key: Uint8Array): void {
    if (key.length === 0) throw this.#invalid("a key or bucket name must not be empty");
    if (key.length > maxKeySize)
      throw this.#invalid(`a key or bucket name must not be longer than ${maxKeySize} bytes`);
  }

  #invalid(reason: string): EngineError {
    return this.#error("INVALID_ARGUMENT", reason);
  }

  #incompatible(key: Uint8Array, reason: string): EngineError {
    return this.#error("INCOMPATIBLE", `${nameText(key)} ${reason}`);
  }

  #error(code: EngineError["code"], reason: string): EngineError {
    const { path } = this.#context.pager.storage;
    return new EngineError(code, `${path}: ${reason}`, { path });
  }
}

function pageIdOf(level: Level): number {
  return level instanceof Node ? level.pageId : level.id;
}
