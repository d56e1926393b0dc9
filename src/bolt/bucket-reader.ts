import type { ListPage } from "../core/driver.js";
import { directoryPrefix, isLockKey } from "../core/keys.js";
import { encodeUtf8 } from "../util/bytes.js";
import { keyBytes, keyText } from "./key-bytes.js";
import type { Cursor } from "./engine/cursor.js";
import type { Tx } from "./engine/tx.js";
import { KeyPlaces } from "./key-places.js";
import { decodePair, decodePairAt, storedIndex } from "./layout.js";
import type { LeaseTable } from "./lease-table.js";
import { KVPair } from "../core/pair.js";

/** What part of a bucket to list. */
export interface BucketRange {
  readonly directory: string;
  readonly limit: number | undefined;
  readonly keysOnly: boolean;
  /** Start above this key. */
  readonly after?: string | undefined;
}

const noBytes = new Uint8Array(0);

/** Reads pairs from a bucket, those whose ttl or lock has ended left out. */
export class BucketReader {
  readonly #bucket: string;
  readonly #leases: LeaseTable;
  readonly #places = new KeyPlaces();

  constructor(bucket: string, leases: LeaseTable) {
    this.#bucket = bucket;
    this.#leases = leases;
  }

  get(tx: Tx, key: string): KVPair | undefined {
    const stored = this.stored(tx, key);
    return stored === undefined ? undefined : decodePair(key, stored);
  }

  /** As `get` in a transaction on the newest state, and `recall` will know the key. */
  getNewest(tx: Tx, key: string): KVPair | undefined {
    const found = tx.bucket(this.#bucket)?.locate(keyBytes(key));
    if (found === undefined) return undefined;
    const { page, index } = found;
    const [offset, length] = [page.valueOffset(index), page.valueLength(index)];
    this.#places.note(key, page.handle, offset, length);
    return this.#pairAt(key, page.bytes, offset, length);
  }

  /** What the newest state has for a key that `getNewest` found before; undefined when it must look for it again. */
  recall(key: string): KVPair | undefined {
    const place = this.#places.find(key);
    if (place === undefined) return undefined;
    const { handle, offset, length } = place;
    handle.referenced = true;
    return this.#pairAt(key, handle.bytes!, offset, length);
  }

  #pairAt(key: string, bytes: Uint8Array, offset: number, length: number): KVPair | undefined {
    const pair = decodePairAt(key, bytes, offset, length);
    return this.#leases.size > 0 && this.#leases.isOver(key, pair.revision) ? undefined : pair;
  }

  exists(tx: Tx, key: string): boolean {
    return this.stored(tx, key) !== undefined;
  }

  /** The stored bytes of a key that has not ended: a view. */
  stored(tx: Tx, key: string): Uint8Array | undefined {
    const stored = tx.bucket(this.#bucket)?.get(keyBytes(key));
    if (stored === undefined || this.#leases.size === 0) return stored;
    return this.#leases.isOver(key, storedIndex(key, stored)) ? undefined : stored;
  }

  list(tx: Tx, range: BucketRange): ListPage {
    const bucket = tx.bucket(this.#bucket);
    if (bucket === undefined) return { pairs: [] };
    const prefix = encodeUtf8(directoryPrefix(range.directory));
    const limit = range.limit ?? Number.POSITIVE_INFINITY;
    const pairs: KVPair[] = [];
    const cursor = bucket.cursor();
    for (let found = seek(cursor, prefix, range.after); found; found = cursor.next()) {
      const keyBytes = cursor.key!;
      if (!startsWith(keyBytes, prefix)) break;
      if (pairs.length >= limit) return { pairs, next: pairs.at(-1)!.key };
      const pair = this.#pairOf(keyText(keyBytes), cursor, range.keysOnly);
      if (pair !== undefined) pairs.push(pair);
    }
    return { pairs };
  }

  /** What the cursor stands on, unless it is a nested bucket, has ended, or belongs to a lock of another layout. */
  #pairOf(key: string, cursor: Cursor, keyOnly: boolean): KVPair | undefined {
    const stored = cursor.value;
    if (stored === undefined || isLockKey(key)) return undefined;
    if (this.#leases.size > 0 && this.#leases.isOver(key, storedIndex(key, stored))) return undefined;
    return keyOnly ? new KVPair(key, noBytes, 0n) : decodePair(key, stored);
  }
}

function seek(cursor: Cursor, prefix: Uint8Array, after: string | undefined): boolean {
  if (after === undefined) return prefix.length === 0 ? cursor.first() : cursor.seek(prefix);
  const from = encodeUtf8(after);
  const found = cursor.seek(from);
  return found && Buffer.compare(cursor.key!, from) === 0 ? cursor.next() : found;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (bytes.length < prefix.length) return false;
  for (let at = prefix.length - 1; at >= 0; at--) if (bytes[at] !== prefix[at]) return false;
  return true;
}
