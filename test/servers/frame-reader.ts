/**
 * Walks over a byte stream of frames: a header of fixed length, then as many bytes as the header says. Only the headers
 * are kept; bodies are skipped, however the stream is cut into chunks.
 */
export class FrameReader {
  readonly #header: Buffer;
  readonly #onHeader: (header: Buffer) => number;
  #headerFilled = 0;
  #toSkip: number;

  /** `onHeader` returns the number of bytes that follow the header. `preface` bytes before the first are skipped. */
  constructor(headerBytes: number, onHeader: (header: Buffer) => number, preface = 0) {
    this.#header = Buffer.alloc(headerBytes);
    this.#onHeader = onHeader;
    this.#toSkip = preface;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const skipped = Math.min(this.#toSkip, chunk.length - at);
      this.#toSkip -= skipped;
      at += skipped;
      const copied = chunk.copy(this.#header, this.#headerFilled, at);
      this.#headerFilled += copied;
      at += copied;
      if (this.#headerFilled < this.#header.length) continue;
      this.#headerFilled = 0;
      this.#toSkip = this.#onHeader(this.#header);
    }
  }
}
