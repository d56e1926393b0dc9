import { MemoryStorage } from "./memory-storage.js";
import type { Storage } from "./storage.js";

/**
 * One step as it reached the storage, in order. A sync is recorded when it succeeded; it covers the first `covers` steps,
 * those that were there when it began.
 */
export type StorageOperation =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "resize"; readonly size: number }
  | { readonly kind: "sync"; readonly covers: number };

export type FaultCode = "EIO" | "ENOSPC";

/** Power failures tear writes at this size: what a disk writes whole. */
const sectorSize = 512;

/**
 * Storage for tests of durability. It keeps all bytes in memory, records each write and sync, fails those it is told
 * to, and builds what a disk could hold after a power failure.
 */
export class FaultStorage implements Storage {
  readonly path: string;
  /** All that reached the storage so far. */
  readonly operations: StorageOperation[] = [];
  readonly #initial: Uint8Array;
  readonly #memory: MemoryStorage;
  readonly #faults = { write: new Map<number, FaultCode>(), sync: new Map<number, FaultCode>() };
  #writes = 0;
  #syncs = 0;

  /** Starts empty, or with a copy of `content`. */
  constructor(content: Uint8Array = new Uint8Array(0), path = "fault:") {
    this.path = path;
    this.#initial = new Uint8Array(content);
    this.#memory = new MemoryStorage(content, path);
  }

  /** How many writes (resizes counted in) and syncs were asked for so far, failed ones included. */
  get writes(): number {
    return this.#writes;
  }

  get syncs(): number {
    return this.#syncs;
  }

  /** Fails the nth write or resize from now, 1 being the next. Half of a failed write's bytes still arrive. */
  failWrite(nth: number, code: FaultCode = "EIO"): void {
    this.#faults.write.set(this.#writes + nth, code);
  }

  /** Fails the nth sync from now, 1 being the next. */
  failSync(nth: number, code: FaultCode = "EIO"): void {
    this.#faults.sync.set(this.#syncs + nth, code);
  }

  /** Takes back all faults that have not happened yet. */
  clearFaults(): void {
    this.#faults.write.clear();
    this.#faults.sync.clear();
  }

  /** What the process sees: everything written, synced or not. */
  content(): Uint8Array {
    return this.#memory.content();
  }

  /**
   * What a disk may hold if the power failed after the first `count` operations: all that the syncs among them cover, and
   * of the other writes any subset, each whole or torn at 512-byte sectors, as `random` decides.
   */
  crashImage(count: number, random: () => number): Uint8Array {
    const done = this.operations.slice(0, count);
    const synced = Math.max(0, ...done.map((operation) => (operation.kind === "sync" ? operation.covers : 0)));
    const disk = new MemoryStorage(this.#initial);
    for (const operation of done.slice(0, synced)) apply(disk, operation);
    for (const operation of done.slice(synced)) {
      const chance = random();
      if (chance < 1 / 3) continue;
      if (chance < 2 / 3 || operation.kind !== "write") apply(disk, operation);
      else applyTorn(disk, operation.offset, operation.bytes, random);
    }
    return disk.content();
  }

  size(): number {
    return this.#memory.size();
  }

  read(offset: number, into: Uint8Array): number {
    return this.#memory.read(offset, into);
  }

  write(offset: number, chunks: readonly Uint8Array[]): void {
    const bytes = new Uint8Array(Buffer.concat(chunks));
    const fault = this.#faults.write.get(++this.#writes);
    const arrived = fault ? bytes.subarray(0, bytes.length >>> 1) : bytes;
    this.#perform({ kind: "write", offset, bytes: arrived });
    if (fault) throw systemError(fault, "write");
  }

  async writeAsync(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    this.write(offset, chunks);
  }

  resize(size: number): void {
    const fault = this.#faults.write.get(++this.#writes);
    if (fault) throw systemError(fault, "ftruncate");
    this.#perform({ kind: "resize", size });
  }

  async sync(): Promise<void> {
    const fault = this.#faults.sync.get(++this.#syncs);
    const covers = this.operations.length;
    // Syncing takes a while on a disk, and other calls come in meanwhile.
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (fault) throw systemError(fault, "fdatasync");
    this.operations.push({ kind: "sync", covers });
  }

  close(): void {}

  #perform(operation: StorageOperation): void {
    apply(this.#memory, operation);
    this.operations.push(operation);
  }
}

function apply(disk: MemoryStorage, operation: StorageOperation): void {
  if (operation.kind === "write") disk.write(operation.offset, [operation.bytes]);
  else if (operation.kind === "resize") disk.resize(operation.size);
}

function applyTorn(disk: MemoryStorage, offset: number, bytes: Uint8Array, random: () => number): void {
  for (let at = 0; at < bytes.length; at += sectorSize) {
    if (random() < 0.5) disk.write(offset + at, [bytes.subarray(at, at + sectorSize)]);
  }
}

function systemError(code: FaultCode, call: string): NodeJS.ErrnoException {
  const text = code === "EIO" ? "i/o error" : "no space left on device";
  return Object.assign(new Error(`${code}: ${text}, ${call}`), { code, syscall: call });
}
