import type { Clock } from "../util/clock.js";
import type { BootClock } from "./boot-clock.js";
import type { Bucket } from "./engine/bucket.js";
import type { Tx } from "./engine/tx.js";
import { decodeLease, encodeLease, type LeaseRecord, leaseBucketName } from "./layout.js";
import { decodeUtf8, encodeUtf8 } from "../util/bytes.js";

/** A record and, for ttls of this process, the deadline that a changed wall clock cannot move. */
interface Entry {
  readonly record: LeaseRecord;
  readonly localDeadline: number | undefined;
}

/** The bucket of leases, in memory as well: reads ask it for every key. */
export class LeaseTable {
  readonly #bucketName: string;
  readonly #clock: Clock;
  readonly #bootClock: BootClock;
  /** This opening of the file. */
  readonly #owner: string;
  #entries = new Map<string, Entry>();
  /** When the next key ends, by the clock, or earlier; `undefined` when none does or it has to be looked for. */
  #nextEnd: number | undefined;
  #mustLook = true;

  constructor(bucket: string, owner: string, clock: Clock, bootClock: BootClock) {
    this.#bucketName = leaseBucketName(bucket);
    this.#owner = owner;
    this.#clock = clock;
    this.#bootClock = bootClock;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reads the bucket anew: at opening, and when another process wrote. */
  load(tx: Tx): void {
    const entries = new Map<string, Entry>();
    tx.bucket(this.#bucketName)?.forEach((key, stored) => {
      if (stored === undefined) return;
      const name = decodeUtf8(key);
      const record = decodeLease(name, stored);
      const known = this.#entries.get(name);
      const localDeadline = known?.record.index === record.index ? known.localDeadline : undefined;
      entries.set(name, { record, localDeadline });
    });
    this.#entries = entries;
    this.#mustLook = true;
  }

  /** The record of a key, if it is for this index. */
  find(key: string, index: bigint): LeaseRecord | undefined {
    const record = this.#entries.get(key)?.record;
    return record?.index === index ? record : undefined;
  }

  /** Whether the key with this index has ended. */
  isOver(key: string, index: bigint): boolean {
    if (this.#entries.size === 0) return false;
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.record.index === index && this.#leftMs(entry) <= 0;
  }

  /** How long the lock on the key with this index still holds, in milliseconds; `undefined` when none does. */
  lockedForMs(key: string, index: bigint): number | undefined {
    const entry = this.#entries.get(key);
    if (entry?.record.lock === undefined || entry.record.index !== index) return undefined;
    const leftMs = this.#leftMs(entry);
    return leftMs > 0 ? leftMs : undefined;
  }

  /** When to look for ended keys again, in milliseconds from now: when the next one ends, or a little before. */
  nextEndMs(): number | undefined {
    if (this.#entries.size === 0) return undefined;
    if (this.#mustLook) {
      this.#mustLook = false;
      this.#nextEnd = undefined;
      for (const entry of this.#entries.values()) this.#noteEnd(entry);
    }
    return this.#nextEnd === undefined ? undefined : this.#nextEnd - this.#clock.now();
  }

  /** The keys that have ended, with the index they had. */
  over(): { key: string; index: bigint }[] {
    this.#mustLook = true;
    const over: { key: string; index: bigint }[] = [];
    for (const [key, entry] of this.#entries) {
      if (this.#leftMs(entry) <= 0) over.push({ key, index: entry.record.index });
    }
    return over;
  }

  /** Writes a record; the table follows when the transaction is durable. */
  set(tx: Tx, key: string, record: LeaseRecord): void {
    tx.createBucketIfNotExists(this.#bucketName).put(encodeUtf8(key), encodeLease(record));
    const localDeadline = record.expires === undefined ? undefined : this.#clock.now() + record.ttlMs;
    tx.onCommit(() => this.#keep(key, { record, localDeadline }));
  }

  /** Keeps a lock's record with another deadline, in memory alone: for one that counts only while this process has the file. */
  move(key: string, record: LeaseRecord): void {
    this.#keep(key, { record, localDeadline: undefined });
  }

  /** Deletes the record of a key, if there is one. */
  delete(tx: Tx, key: string): void {
    if (!this.#entries.has(key)) return;
    this.#bucket(tx)?.delete(encodeUtf8(key));
    tx.onCommit(() => this.#entries.delete(key));
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.set(key, entry);
    this.#noteEnd(entry);
  }

  #noteEnd(entry: Entry): void {
    const end = this.#clock.now() + this.#leftMs(entry);
    if (this.#nextEnd === undefined || end < this.#nextEnd) this.#nextEnd = end;
  }

  #bucket(tx: Tx): Bucket | undefined {
    return tx.bucket(this.#bucketName);
  }

  #leftMs({ record, localDeadline }: Entry): number {
    const { lock } = record;
    if (lock === undefined) {
      if (localDeadline !== undefined) return localDeadline - this.#clock.now();
      return (record.expires ?? 0) - this.#clock.wallTime();
    }
    if (lock.boot !== this.#bootClock.boot) return 0;
    if (lock.exclusive && lock.owner !== this.#owner) return 0;
    return lock.until - this.#bootClock.now();
  }
}
