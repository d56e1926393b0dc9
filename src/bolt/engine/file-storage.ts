import fs from "node:fs";
import type { Storage } from "./storage.js";

/**
 * Pages per vectored write. The kernel keeps what one write brought in pieces as large as that write, and later writes of
 * single pages into a piece of 1024 pages cost it several times as much as into one of 16. Pieces of 64 are no worse for them,
 * and large writes take about two thirds of the time.
 */
const maxChunks = 64;

/** So many asynchronous writes are handed over at once, so that none waits for this thread to hand over the next. */
const mostWriting = 4;

/** A database file, through one descriptor. */
export class FileStorage implements Storage {
  readonly path: string;
  readonly descriptor: number;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  /** Opens the file; throws the operating system's error. The descriptor is close-on-exec, as all of Node's are. */
  static open(path: string, options: { readOnly: boolean; create: boolean; mode: number }): FileStorage {
    const { O_RDONLY, O_RDWR, O_CREAT } = fs.constants;
    const flags = options.readOnly ? O_RDONLY : O_RDWR | (options.create ? O_CREAT : 0);
    return new FileStorage(path, fs.openSync(path, flags, options.mode));
  }

  size(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  read(offset: number, into: Uint8Array): number {
    let filled = 0;
    while (filled < into.length) {
      const count = fs.readSync(this.descriptor, into, filled, into.length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  write(offset: number, chunks: readonly Uint8Array[]): void {
    if (chunks.length === 1) return this.#writeOne(offset, chunks[0]!);
    for (const { at, batch, length } of batchesOf(offset, chunks)) {
      const written = fs.writevSync(this.descriptor, batch, at);
      if (written < length) this.#writeOne(at + written, Buffer.concat(batch).subarray(written));
    }
  }

  async writeAsync(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    const writing: Promise<void>[] = [];
    for (const { at, batch, length } of batchesOf(offset, chunks)) {
      writing.push(this.#writeBatch(at, batch, length));
      if (writing.length === mostWriting) await allOver(writing.splice(0));
    }
    await allOver(writing);
  }

  async #writeBatch(at: number, batch: readonly Uint8Array[], length: number): Promise<void> {
    const written = await new Promise<number>((resolve, reject) => {
      fs.writev(this.descriptor, batch, at, (error, count) => (error ? reject(error) : resolve(count)));
    });
    // A short write means a nearly full disk or a very large chunk: the rest goes the plain way.
    if (written < length) this.#writeOne(at + written, Buffer.concat(batch).subarray(written));
  }

  #writeOne(offset: number, bytes: Uint8Array): void {
    let done = 0;
    while (done < bytes.length) {
      done += fs.writeSync(this.descriptor, bytes, done, bytes.length - done, offset + done);
    }
  }

  resize(size: number): void {
    fs.ftruncateSync(this.descriptor, size);
  }

  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.descriptor, (error) => (error ? reject(error) : resolve()));
    });
  }

  close(): void {
    fs.closeSync(this.descriptor);
  }
}

/** Settles when all have: a write that goes on after another failed could meet those of the next transaction. */
async function allOver(writing: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(writing)) if (result.status === "rejected") throw result.reason;
}

function* batchesOf(
  offset: number,
  chunks: readonly Uint8Array[],
): Generator<{ at: number; batch: Uint8Array[]; length: number }> {
  let at = offset;
  for (let from = 0; from < chunks.length; from += maxChunks) {
    const batch = chunks.slice(from, from + maxChunks);
    const length = batch.reduce((sum, chunk) => sum + chunk.length, 0);
    yield { at, batch, length };
    at += length;
  }
}
