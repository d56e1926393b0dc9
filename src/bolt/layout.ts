import { decodeUtf8, encodeUtf8, pooledCopyOf } from "../util/bytes.js";
import { StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";

/**
 * How Kvasir's pairs stand in a bbolt file. A pair is a key of the store's bucket; its value is libkv's: 8 bytes
 * little-endian index, then the bytes (docker/libkv store/boltdb, kvtools/valkeyrie boltdb). What makes a key end (a
 * ttl, a lock) stands in a second bucket beside it, so that libkv sees only pairs in the first.
 */
export const indexBytes = 8;

/** The bucket with the ends of keys. Its name carries the version of its records. */
export function leaseBucketName(bucket: string): string {
  return `${bucket}.leases.v1`;
}

/** Where pairs of ordinary size are put together. */
const scratch = new Uint8Array(16 * 1024);
const scratchIndex = new DataView(scratch.buffer);

/** The stored form of a pair. Read it before the next call: the memory is used again. */
export function encodePair(index: bigint, value: Uint8Array): Uint8Array {
  const length = indexBytes + value.length;
  const fits = length <= scratch.length;
  const stored = fits ? scratch.subarray(0, length) : new Uint8Array(length);
  (fits ? scratchIndex : new DataView(stored.buffer)).setBigUint64(0, index, true);
  stored.set(value, indexBytes);
  return stored;
}

/** The index of a stored pair. */
export function storedIndex(key: string, stored: Uint8Array): bigint {
  return indexAt(key, stored, 0, stored.length);
}

/** The same of one that is `length` bytes from `at` on. */
export function indexAt(key: string, bytes: Uint8Array, at: number, length: number): bigint {
  if (length < indexBytes) {
    const reason = `the stored value has ${length} bytes and so no index; another program's bucket?`;
    throw new StoreError("CORRUPT", reason, { key });
  }
  const low = bytes[at]! + bytes[at + 1]! * 2 ** 8 + bytes[at + 2]! * 2 ** 16 + bytes[at + 3]! * 2 ** 24;
  const high = bytes[at + 4]! + bytes[at + 5]! * 2 ** 8 + bytes[at + 6]! * 2 ** 16 + bytes[at + 7]! * 2 ** 24;
  return high < 2 ** 21 ? BigInt(high * 2 ** 32 + low) : (BigInt(high) << 32n) + BigInt(low);
}

/** The bytes of a stored pair: a view. */
export function storedValue(stored: Uint8Array): Uint8Array {
  return stored.subarray(indexBytes);
}

/** A pair with bytes of its own. */
export function decodePair(key: string, stored: Uint8Array): KVPair {
  return decodePairAt(key, stored, 0, stored.length);
}

/** The same of a stored pair that is `length` bytes from `at` on. */
export function decodePairAt(key: string, bytes: Uint8Array, at: number, length: number): KVPair {
  const index = indexAt(key, bytes, at, length);
  return new KVPair(key, pooledCopyOf(bytes, at + indexBytes, length - indexBytes), index);
}

/** A lock's part of a lease record. */
export interface LockRecord {
  /** Who holds it: unique for each opening of the file by a process. */
  readonly owner: string;
  /** Whether the owner kept the whole file locked, so that it is gone when another has the file. */
  readonly exclusive: boolean;
  /** Which boot of which machine `until` belongs to. */
  readonly boot: string;
  /** The deadline, in milliseconds of the machine's monotonic clock. */
  readonly until: number;
}

/** What makes a key end. It counts only while the key still has this index. */
export interface LeaseRecord {
  readonly index: bigint;
  readonly ttlMs: number;
  /** For a ttl: the deadline in milliseconds since the epoch. */
  readonly expires?: number | undefined;
  readonly lock?: LockRecord | undefined;
}

/** Records are JSON, for people who dump the file. */
export function encodeLease(record: LeaseRecord): Uint8Array {
  return encodeUtf8(JSON.stringify({ ...record, index: record.index.toString() }));
}

export function decodeLease(key: string, stored: Uint8Array): LeaseRecord {
  try {
    const record = JSON.parse(decodeUtf8(stored)) as Omit<LeaseRecord, "index"> & { index: string };
    return { ...record, index: BigInt(record.index) };
  } catch (error) {
    throw new StoreError("CORRUPT", "the record of the key's ttl or lock cannot be read", { key, cause: error });
  }
}
