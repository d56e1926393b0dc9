import type { Lease, Request } from "../core/driver.js";
import { encodeUtf8 } from "../util/bytes.js";
import type { BucketSession } from "./bucket-session.js";
import { BucketWriter } from "./bucket-writer.js";
import { type LeaseRecord, storedIndex } from "./layout.js";

/** A record in the lease bucket as the core sees it: renewing moves its deadline, ending deletes its key. */
export class BoltLease implements Lease {
  readonly ttlMs: number;
  readonly #session: BucketSession;
  readonly #key: string;
  readonly #index: bigint;

  constructor(session: BucketSession, key: string, index: bigint, ttlMs: number) {
    this.#session = session;
    this.#key = key;
    this.#index = index;
    this.ttlMs = ttlMs;
  }

  /**
   * The deadline of a lock in a file that this process alone has open is nobody else's business: it moves in memory, and
   * waits for no disk. Whoever has the file next knows by the owner that the holder is gone.
   */
  async renew(request: Request): Promise<"renewed" | "lost" | "ended"> {
    const { file, bucket, leases } = this.#session;
    if (leases.find(this.#key, this.#index)?.lock?.exclusive === true) {
      return this.#renewed((record) => leases.move(this.#key, record));
    }
    return file.write((tx) => {
      const stored = tx.bucket(bucket)?.get(encodeUtf8(this.#key));
      if (stored === undefined || storedIndex(this.#key, stored) !== this.#index) return "ended";
      return this.#renewed((record) => leases.set(tx, this.#key, record));
    }, request);
  }

  /** Gives the record with its new deadline to `keep`, while there is one to renew. */
  #renewed(keep: (record: LeaseRecord) => void): "renewed" | "lost" | "ended" {
    const { file, leases } = this.#session;
    const { clock, bootClock } = file.clocks;
    const record = leases.find(this.#key, this.#index);
    if (record === undefined) return "ended";
    if (leases.isOver(this.#key, this.#index)) return "lost";
    keep(
      record.lock === undefined
        ? { ...record, expires: clock.wallTime() + this.ttlMs }
        : { ...record, lock: { ...record.lock, until: bootClock.now() + this.ttlMs } },
    );
    return "renewed";
  }

  async end(request: Request): Promise<void> {
    const { file, bucket, leases, reader } = this.#session;
    const changes = await file.write((tx) => {
      const stored = tx.bucket(bucket)?.get(encodeUtf8(this.#key));
      if (stored === undefined || storedIndex(this.#key, stored) !== this.#index) return [];
      if (leases.find(this.#key, this.#index) === undefined) return [];
      const writer = new BucketWriter(tx, bucket, reader, leases);
      writer.delete(this.#key);
      return writer.changes;
    }, request);
    this.#session.committed(changes);
  }

  /** Called when the session drops the lease by force: the tests' `loseLock`. */
  onLost(listener: (reason: undefined) => void): () => void {
    return this.#session.onForcedLoss(this.#key, this.#index, () => listener(undefined));
  }
}
