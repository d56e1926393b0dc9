import { MarshallingError } from "./error-codes.js";

const lengthBytes = 4;
/** What is first set aside for a frame that arrives in pieces: memory grows with what came, not with what was promised. */
const firstReserveBytes = 64 * 1024;

/**
 * Called with each whole frame: `buffer` from `start` to `end`, without its length. When the bytes are not `lasting`
 * they are those of the chunk, which is good only during the call.
 */
export type FrameHandler = (buffer: Buffer, start: number, end: number, lasting: boolean) => void;

/**
 * Cuts the stream into frames (a 4-byte big-endian length, then that many bytes). Frames that lie whole in a chunk are
 * handed on in place; only one that spans chunks is collected, and a length that is negative or over `maximumBytes`
 * throws a `MarshallingError` before anything is set aside for it.
 */
export class FrameReader {
  readonly #maximumBytes: number;
  readonly #onFrame: FrameHandler;
  /** The frame being collected, its length included; `#have` bytes of it are there. */
  #partial: Buffer | undefined;
  #have = 0;

  constructor(maximumBytes: number, onFrame: FrameHandler) {
    this.#maximumBytes = maximumBytes;
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let at = this.#partial === undefined ? 0 : this.#complete(this.#partial, chunk);
    while (chunk.length - at >= lengthBytes) {
      const end = at + lengthBytes + this.#frameLength(chunk, at);
      if (end > chunk.length) break;
      this.#onFrame(chunk, at + lengthBytes, end, false);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at);
  }

  /** Feeds the collected frame; returns how many bytes of the chunk that took. */
  #complete(partial: Buffer, chunk: Buffer): number {
    let taken = 0;
    if (this.#have < lengthBytes) {
      taken = chunk.copy(partial, this.#have, 0, lengthBytes - this.#have);
      this.#have += taken;
      if (this.#have < lengthBytes) return taken;
    }
    const total = lengthBytes + this.#frameLength(partial, 0);
    const part = Math.min(total - this.#have, chunk.length - taken);
    const collected = this.#grow(partial, this.#have + part, total);
    chunk.copy(collected, this.#have, taken, taken + part);
    this.#have += part;
    if (this.#have === total) {
      this.#partial = undefined;
      this.#onFrame(collected, lengthBytes, total, true);
    }
    return taken + part;
  }

  #keep(chunk: Buffer, at: number): void {
    const have = chunk.length - at;
    const total = have < lengthBytes ? lengthBytes : lengthBytes + this.#frameLength(chunk, at);
    const partial = Buffer.allocUnsafeSlow(Math.min(total, Math.max(firstReserveBytes, have)));
    chunk.copy(partial, 0, at);
    this.#partial = partial;
    this.#have = have;
  }

  /** A buffer for at least `needed` bytes, doubled towards the whole frame. */
  #grow(partial: Buffer, needed: number, total: number): Buffer {
    if (partial.length >= needed) return partial;
    const larger = Buffer.allocUnsafeSlow(Math.min(total, Math.max(needed, partial.length * 2)));
    partial.copy(larger, 0, 0, this.#have);
    this.#partial = larger;
    return larger;
  }

  #frameLength(buffer: Buffer, at: number): number {
    const length = buffer.readInt32BE(at);
    if (length < 0 || length > this.#maximumBytes) {
      throw new MarshallingError(`a frame of ${length} bytes, allowed are 0 to ${this.#maximumBytes}`);
    }
    return length;
  }
}
