import type { Page } from "./engine/page.js";
import { pooledCopyOf, sharedCopyOf } from "../util/bytes.js";

/** Larger runs are copied value by value, so that one value that is kept holds no more memory than this. */
const maxShared = 8 * 1024;

/**
 * The values of neighbours on a leaf page, as bytes that are the caller's own. They are copied together with the keys
 * between them, which costs less than copying each value.
 */
export class CopiedValues {
  readonly #page: Page;
  readonly #start: number;
  readonly #copy: Uint8Array;

  /** Of the elements from `from` up to, but not with, `to`. */
  constructor(page: Page, from: number, to: number) {
    const start = page.keyOffset(from);
    const length = page.valueOffset(to - 1) + page.valueLength(to - 1) - start;
    const isShared = length > 0 && length <= maxShared;
    this.#page = page;
    this.#start = start;
    this.#copy = isShared ? sharedCopyOf(page.bytes, start, length) : noBytes;
  }

  /** The value of an element without its first `skip` bytes. */
  value(index: number, skip: number): Uint8Array {
    const offset = this.#page.valueOffset(index) + skip;
    const length = this.#page.valueLength(index) - skip;
    const at = offset - this.#start;
    // Other programs may lay out a page in another order.
    const isCopied = at >= 0 && at + length <= this.#copy.length;
    return isCopied ? new Uint8Array(this.#copy.buffer, at, length) : pooledCopyOf(this.#page.bytes, offset, length);
  }
}

const noBytes = new Uint8Array(0);
