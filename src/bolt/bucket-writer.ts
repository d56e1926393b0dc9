import type { Check, Expectation, UpstreamChange, WriteAnswer, WriteOperation } from "../core/driver.js";
import { StoreError } from "../core/errors.js";
import { directoryPrefix } from "../core/keys.js";
import { KVPair } from "../core/pair.js";
import { encodeUtf8, equalBytes } from "../util/bytes.js";
import type { BucketReader } from "./bucket-reader.js";
import { keyBytes } from "./key-bytes.js";
import type { Bucket } from "./engine/bucket.js";
import type { WriteTx } from "./engine/tx.js";
import { encodePair, type LeaseRecord, storedIndex, storedValue } from "./layout.js";
import type { LeaseTable } from "./lease-table.js";

/** The writes of one transaction on a bucket, and what they changed. */
export class BucketWriter {
  readonly changes: UpstreamChange[] = [];
  readonly #tx: WriteTx;
  readonly #bucket: Bucket;
  readonly #reader: BucketReader;
  readonly #leases: LeaseTable;

  constructor(tx: WriteTx, bucketName: string, reader: BucketReader, leases: LeaseTable) {
    this.#tx = tx;
    this.#bucket = tx.createBucketIfNotExists(bucketName);
    this.#reader = reader;
    this.#leases = leases;
  }

  /** Does one operation; a failed comparison is an answer, and changes nothing. */
  apply(operation: WriteOperation): WriteAnswer {
    const failure = this.check(operation);
    if (failure !== undefined) return failure;
    return operation.type === "put" ? this.put(operation.key, operation.value) : this.delete(operation.key);
  }

  /** Why the comparison fails, if it does: index and bytes must be those that were read. */
  check({ key, expected }: { key: string; expected?: Expectation | undefined } | Check): StoreError | undefined {
    if (expected === undefined) return undefined;
    const stored = this.#reader.stored(this.#tx, key);
    if (expected === "absent") {
      return stored === undefined ? undefined : new StoreError("KEY_EXISTS", "the key exists", { key });
    }
    if (stored === undefined) return new StoreError("KEY_MODIFIED", "the key was deleted since it was read", { key });
    const same =
      storedIndex(key, stored) === expected.revision &&
      (expected.value === undefined || equalBytes(storedValue(stored), expected.value));
    return same ? undefined : new StoreError("KEY_MODIFIED", "the key was changed since it was read", { key });
  }

  /** Writes the key; it is permanent, unless `lease` makes its end. */
  put(key: string, value: Uint8Array, lease?: (index: bigint) => LeaseRecord): KVPair {
    let index = 0n;
    this.#bucket.replace(keyBytes(key), (stored) => {
      index = this.#nextIndex(key, stored);
      return encodePair(index, value);
    });
    const record = lease?.(index);
    if (record === undefined) this.#leases.delete(this.#tx, key);
    else this.#leases.set(this.#tx, key, record);
    const pair = new KVPair(key, value, index, record?.ttlMs);
    this.changes.push({ type: "put", pair });
    return pair;
  }

  /** Whether there was something that had not ended. */
  delete(key: string): boolean {
    const there = this.#reader.exists(this.#tx, key);
    if (this.#bucket.delete(keyBytes(key))) this.changes.push({ type: "delete", key });
    this.#leases.delete(this.#tx, key);
    return there;
  }

  /** Deletes everything below the directory and keeps the bucket, with its sequence. */
  deleteTree(directory: string): number {
    const prefix = encodeUtf8(directoryPrefix(directory));
    const keys: string[] = [];
    const cursor = this.#bucket.cursor();
    for (let found = prefix.length === 0 ? cursor.first() : cursor.seek(prefix); found; found = cursor.next()) {
      const key = Buffer.from(cursor.key!);
      if (Buffer.compare(key.subarray(0, prefix.length), prefix) !== 0) break;
      if (!cursor.isBucket) keys.push(key.toString("utf8"));
    }
    let count = 0;
    for (const key of keys) if (this.delete(key)) count++;
    return count;
  }

  /**
   * The next revision: the bucket's own persisted counter, so that it goes on after a restart. Go's libkv counts by
   * itself and may have written a higher index at this key.
   */
  #nextIndex(key: string, stored: Uint8Array | undefined): bigint {
    const next = this.#bucket.nextSequence();
    if (stored === undefined) return next;
    const current = storedIndex(key, stored);
    if (current < next) return next;
    this.#bucket.setSequence(current + 1n);
    return current + 1n;
  }
}
