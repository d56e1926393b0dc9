/** Memory for pages. Several share one buffer: making a buffer costs more than filling it. */
export interface Slab {
  readonly bytes: Uint8Array;
  /** The same memory as 32-bit words. */
  readonly words: Uint32Array;
}

/**
 * Large enough to save on buffers, small enough that one page still in use does not hold much memory. A transaction that
 * makes many pages gets larger ones: fewer slabs are faster to read from, and are soon given back together.
 */
const smallestSlab = 32 * 1024;
const largestSlab = 1024 * 1024;

/** Zeroed memory of `length` bytes, a multiple of four. */
export function createSlab(length: number): Slab {
  const buffer = new ArrayBuffer(length);
  return { bytes: new Uint8Array(buffer), words: new Uint32Array(buffer) };
}

/** So many rooms are kept to be used again: what a few large commits write. */
const mostKept = 512;

/** Hands out room for pages. */
export class SlabAllocator {
  /** Where the room last taken is: in this slab, from this byte on. */
  slab: Slab = createSlab(0);
  start = 0;
  #newest = this.slab;
  #used = 0;
  #nextSize = smallestSlab;
  readonly #kept: { readonly slab: Slab; readonly start: number }[] = [];
  #keptLength = 0;

  /** Takes zeroed room for `length` bytes; `slab` and `start` say where. */
  take(length: number): void {
    if (this.#used + length > this.#newest.bytes.length) {
      this.#newest = createSlab(Math.max(this.#nextSize, length));
      this.#used = 0;
      if (this.#nextSize < largestSlab) this.#nextSize *= 2;
    }
    this.slab = this.#newest;
    this.start = this.#used;
    this.#used += length;
  }

  /** The same where all of it will be written over: room that was used before will do, with what is in it. */
  takeUsed(length: number): void {
    const kept = length === this.#keptLength ? this.#kept.pop() : undefined;
    if (kept === undefined) return this.take(length);
    this.slab = kept.slab;
    this.start = kept.start;
  }

  /** Takes room back that nobody reads any more, to be used again: new memory costs more, to make and to clear away. */
  giveBack(slab: Slab, start: number, length: number): void {
    if (length !== this.#keptLength) this.#kept.length = 0;
    this.#keptLength = length;
    if (this.#kept.length < mostKept) this.#kept.push({ slab, start });
  }

  /** From here on slabs are small again. */
  restart(): void {
    this.#nextSize = smallestSlab;
  }
}
