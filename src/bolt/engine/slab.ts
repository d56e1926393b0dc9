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

/** Hands out zeroed room for pages. */
export class SlabAllocator {
  /** Where the room last taken is: in this slab, from this byte on. */
  slab: Slab = createSlab(0);
  start = 0;
  #used = 0;
  #nextSize = smallestSlab;

  /** Takes room for `length` bytes; `slab` and `start` say where. */
  take(length: number): void {
    if (this.#used + length > this.slab.bytes.length) {
      this.slab = createSlab(Math.max(this.#nextSize, length));
      this.#used = 0;
      if (this.#nextSize < largestSlab) this.#nextSize *= 2;
    }
    this.start = this.#used;
    this.#used += length;
  }

  /** From here on slabs are small again. */
  restart(): void {
    this.#nextSize = smallestSlab;
  }
}
