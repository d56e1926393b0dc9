import type { Storage } from "./storage.js";

const firstCapacity = 64 * 1024;

/** A database in memory, gone with the process. */
export class MemoryStorage implements Storage {
  readonly path: string;
  #bytes: Uint8Array;
  #size: number;

  /** Starts empty, or with a copy of `content`. */
  constructor(content: Uint8Array = new Uint8Array(0), path = "memory:") {
    this.path = path;
    this.#bytes = new Uint8Array(content);
    this.#size = content.length;
  }

  /** A copy of the whole content. */
  content(): Uint8Array {
    return this.#bytes.slice(0, this.#size);
  }

  size(): number {
    return this.#size;
  }

  read(offset: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.#size - offset));
    into.set(this.#bytes.subarray(offset, offset + count));
    return count;
  }

  write(offset: number, chunks: readonly Uint8Array[]): void {
    let at = offset;
    for (const chunk of chunks) {
      if (at + chunk.length > this.#size) this.resize(at + chunk.length);
      this.#bytes.set(chunk, at);
      at += chunk.length;
    }
  }

  async writeAsync(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    this.write(offset, chunks);
  }

  resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, this.#bytes.length * 2, firstCapacity));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    this.#size = size;
  }

  async sync(): Promise<void> {}

  close(): void {}
}
