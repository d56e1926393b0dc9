import type { Request, UpstreamChange, WatchScope, WatchSink } from "../core/driver.js";
import { isLockKey } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { Timer } from "../util/clock.js";
import type { FileClocks } from "./boot-clock.js";
import { BucketReader } from "./bucket-reader.js";
import { ChangeFeed } from "./change-feed.js";
import type { Tx, WriteTx } from "./engine/tx.js";
import { encodeUtf8 } from "../util/bytes.js";
import { LeaseTable } from "./lease-table.js";
import { LockQueues } from "./lock-queues.js";
import { storedIndex } from "./layout.js";

/** How long to wait before another try when ended keys could not be deleted, in milliseconds. */
const sweepRetryMs = 1_000;

/** What a session needs of its file. */
export interface SessionFile {
  /** Tells this opening of the file from every other. */
  readonly owner: string;
  readonly shared: boolean;
  readonly readOnly: boolean;
  readonly clocks: FileClocks;
  write<T>(fn: (tx: WriteTx) => T, request: Request): Promise<T>;
  /** Looks for writes of other processes from now on. */
  followOthers(): void;
}

/** What all stores of a process on one bucket share: leases, watches, lock queues, and the sweeping of ended keys. */
export class BucketSession {
  readonly file: SessionFile;
  readonly bucket: string;
  readonly leases: LeaseTable;
  readonly reader: BucketReader;
  readonly feed = new ChangeFeed();
  readonly locks = new LockQueues();
  readonly #forcedLosses = new Map<string, Set<() => void>>();
  #sweep: Timer | undefined;
  #closed = false;

  constructor(file: SessionFile, bucket: string) {
    this.file = file;
    this.bucket = bucket;
    this.leases = new LeaseTable(bucket, file.owner, file.clocks.clock, file.clocks.bootClock);
    this.reader = new BucketReader(bucket, this.leases);
  }

  /** Reads what is kept in memory. */
  load(tx: Tx): void {
    this.leases.load(tx);
    this.#scheduleSweep();
  }

  /** Another process wrote: everything may have changed. */
  refresh(tx: Tx): void {
    this.load(tx);
    this.locks.wakeAll();
    for (const [sink, scope] of this.feed.entries()) sink.snapshot(this.snapshot(tx, scope));
  }

  /** The state of a scope, with pairs that nobody else holds. */
  snapshot(tx: Tx, scope: WatchScope): KVPair[] {
    if (scope.type === "tree") {
      return [...this.reader.list(tx, { directory: scope.path, limit: undefined, keysOnly: false }).pairs];
    }
    const pair = this.reader.get(tx, scope.path);
    return pair === undefined ? [] : [pair];
  }

  watch(scope: WatchScope, sink: WatchSink): void {
    this.file.followOthers();
    this.feed.add(scope, sink);
  }

  /** What a durable transaction changed: told to watches and to those who wait for locks. */
  committed(changes: readonly UpstreamChange[]): void {
    this.#scheduleSweep();
    this.feed.publish(changes.filter((change) => !isLockKey(change.type === "put" ? change.pair.key : change.key)));
    for (const change of changes) this.locks.wake(change.type === "put" ? change.pair.key : change.key);
  }

  /** Tells when `forceLoss` takes this lease from its holder; gives an unsubscribe. */
  onForcedLoss(key: string, index: bigint, listener: () => void): () => void {
    const name = `${index}:${key}`;
    const listeners = this.#forcedLosses.get(name) ?? new Set();
    listeners.add(listener);
    this.#forcedLosses.set(name, listeners);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#forcedLosses.delete(name);
    };
  }

  /** Ends the ttl or lock of a key as if its time were over; whether there was one. For tests of those who hold it. */
  async forceLoss(key: string, request: Request): Promise<boolean> {
    const { changes, index } = await this.file.write((tx) => {
      const stored = tx.bucket(this.bucket)?.get(encodeUtf8(key));
      const index = stored === undefined ? undefined : storedIndex(key, stored);
      if (index === undefined || this.leases.find(key, index) === undefined) return { changes: [], index: undefined };
      tx.bucket(this.bucket)!.delete(encodeUtf8(key));
      this.leases.delete(tx, key);
      return { changes: [{ type: "delete", key } as const], index };
    }, request);
    if (index === undefined) return false;
    for (const listener of this.#forcedLosses.get(`${index}:${key}`) ?? []) listener();
    this.committed(changes);
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#sweep?.cancel();
  }

  /** Deletes ended keys on time, so that watches tell of them. */
  #scheduleSweep(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    const nextMs = this.leases.nextEndMs();
    if (nextMs === undefined || this.#closed || this.file.readOnly) return;
    this.#sweep = this.file.clocks.clock.after(Math.max(nextMs, 0), () => void this.#sweepNow(), { keepAlive: false });
  }

  async #sweepNow(): Promise<void> {
    const { clock } = this.file.clocks;
    // What seemed to end was renewed since.
    if (this.leases.over().length === 0) return this.#scheduleSweep();
    try {
      const changes = await this.file.write((tx) => this.#deleteOver(tx), { deadline: clock.now() + 5_000 });
      this.committed(changes);
    } catch {
      // Reads treat the keys as gone already; try again.
      if (!this.#closed) {
        this.#sweep = clock.after(sweepRetryMs, () => void this.#sweepNow(), { keepAlive: false });
      }
    }
  }

  #deleteOver(tx: WriteTx): UpstreamChange[] {
    const changes: UpstreamChange[] = [];
    const bucket = tx.bucket(this.bucket);
    for (const { key, index } of this.leases.over()) {
      const bytes = encodeUtf8(key);
      const stored = bucket?.get(bytes);
      if (stored !== undefined && storedIndex(key, stored) === index) {
        bucket!.delete(bytes);
        changes.push({ type: "delete", key });
      }
      this.leases.delete(tx, key);
    }
    return changes;
  }
}
