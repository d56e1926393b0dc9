import { copyRange } from "../../util/bytes.js";
import { Inode } from "./node.js";

/** Most transactions are small; large ones soon get large chunks. */
const smallestChunk = 2 * 1024;
const largestChunk = 64 * 1024;

/** Memory for the keys and values that one write transaction is given: copied here, so callers may reuse theirs. */
export class Arena {
  #chunk = new Uint8Array(0);
  #used = 0;
  #nextSize = smallestChunk;

  /** A leaf element with copies of this key and value. */
  inode(key: Uint8Array, value: Uint8Array, flags: number): Inode {
    const length = key.length + value.length;
    if (this.#used + length > this.#chunk.length) {
      if (length > this.#nextSize / 4) return fill(new Uint8Array(length), 0, key, value, flags);
      this.#chunk = new Uint8Array(this.#nextSize);
      this.#used = 0;
      if (this.#nextSize < largestChunk) this.#nextSize *= 2;
    }
    const inode = fill(this.#chunk, this.#used, key, value, flags);
    this.#used += length;
    return inode;
  }
}

function fill(into: Uint8Array, at: number, key: Uint8Array, value: Uint8Array, flags: number): Inode {
  copyRange(key, 0, key.length, into, at);
  into.set(value, at + key.length);
  return new Inode(into, at, key.length, value.length, flags, 0);
}
