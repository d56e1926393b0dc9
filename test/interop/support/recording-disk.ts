import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import type { Storage } from "../../../src/bolt/engine/storage.js";

/** A write or a change of size as it reached the disk's cache. */
export interface DiskChange {
  /** The place in the recording, counting every event. */
  readonly at: number;
  readonly change: { offset: number; bytes: Uint8Array } | { size: number };
  /** When the call had returned; a sync begun before that promises nothing about it. */
  completedAt: number;
  /** When a sync that covers it had returned: from there on it survives a power failure. */
  durableAt: number;
}

/** A moment of the workload: after so many events, this many transactions were begun, or acknowledged. */
interface Mark {
  at: number;
  count: number;
}

/**
 * A disk in memory that writes down what reaches it and when, so that
 * `PowerFailures` can later build what it would hold had the power failed at
 * any moment. Stricter than a real disk: only a completed sync makes anything
 * durable, and only what was complete when the sync began.
 */
export class RecordingDisk implements Storage {
  readonly path = "recording disk";
  readonly initial: Uint8Array;
  readonly changes: DiskChange[] = [];
  readonly #memory: MemoryStorage;
  readonly #begun: Mark[] = [];
  readonly #acknowledged: Mark[] = [];
  #volatile: DiskChange[] = [];
  #clock = 0;

  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.initial = new Uint8Array(content);
    this.#memory = new MemoryStorage(content);
  }

  /** How many events there were: starts and ends of writes, resizes and syncs. */
  get events(): number {
    return this.#clock;
  }

  /** The workload has begun its `count`th transaction. */
  markBegun(count: number): void {
    this.#begun.push({ at: this.#clock, count });
  }

  /** The workload's `count`th transaction was acknowledged. */
  markAcknowledged(count: number): void {
    this.#acknowledged.push({ at: this.#clock, count });
  }

  /** How many transactions were begun, and acknowledged, when `at` events had happened. */
  progress(at: number): { begun: number; acknowledged: number } {
    return { begun: countAt(this.#begun, at), acknowledged: countAt(this.#acknowledged, at) };
  }

  size(): number {
    return this.#memory.size();
  }

  read(offset: number, into: Uint8Array): number {
    return this.#memory.read(offset, into);
  }

  write(offset: number, chunks: readonly Uint8Array[]): void {
    this.#complete(this.#begin({ offset, bytes: Uint8Array.from(Buffer.concat(chunks)) }));
  }

  async writeAsync(offset: number, chunks: readonly Uint8Array[]): Promise<void> {
    const change = this.#begin({ offset, bytes: Uint8Array.from(Buffer.concat(chunks)) });
    await nextTurn();
    this.#complete(change);
  }

  resize(size: number): void {
    this.#complete(this.#begin({ size }));
  }

  async sync(): Promise<void> {
    const covered = this.#volatile.filter((change) => change.completedAt !== Number.POSITIVE_INFINITY);
    this.#clock++;
    await nextTurn();
    this.#clock++;
    for (const change of covered) change.durableAt = Math.min(change.durableAt, this.#clock);
    this.#volatile = this.#volatile.filter((change) => change.durableAt === Number.POSITIVE_INFINITY);
  }

  close(): void {}

  #begin(change: DiskChange["change"]): DiskChange {
    const never = Number.POSITIVE_INFINITY;
    const recorded: DiskChange = { at: ++this.#clock, change, completedAt: never, durableAt: never };
    if ("size" in change) this.#memory.resize(change.size);
    else this.#memory.write(change.offset, [change.bytes]);
    this.changes.push(recorded);
    this.#volatile.push(recorded);
    return recorded;
  }

  #complete(change: DiskChange): void {
    change.completedAt = ++this.#clock;
  }
}

function countAt(marks: readonly Mark[], at: number): number {
  return marks.findLast((mark) => mark.at <= at)?.count ?? 0;
}

/** Disks take a while, and other calls come in meanwhile. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
