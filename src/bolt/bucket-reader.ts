import type { ListPage } from "../core/driver.js";
import { directoryPrefix, isLockKey } from "../core/keys.js";
import { encodeUtf8 } from "../util/bytes.js";
import { CopiedValues } from "./copied-values.js";
import type { Cursor } from "./engine/cursor.js";
import type { Page } from "./engine/page.js";
import type { Tx } from "./engine/tx.js";
import { keyBytes } from "./key-bytes.js";
import { KeyPlaces } from "./key-places.js";
import { KeyTexts } from "./key-texts.js";
import { decodePair, decodePairAt, indexAt, indexBytes, storedIndex } from "./layout.js";
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
    const places = this.#places;
    const handle = places.find(key);
    if (handle === undefined) return undefined;
    handle.referenced = true;
    return this.#pairAt(key, handle.bytes!, places.offset, places.length);
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

  /** The pairs of a range, page by page. */
  list(tx: Tx, range: BucketRange): ListPage {
    const bucket = tx.bucket(this.#bucket);
    if (bucket === undefined) return { pairs: [] };
    const prefix = encodeUtf8(directoryPrefix(range.directory));
    const limit = range.limit ?? Number.POSITIVE_INFINITY;
    const pairs: KVPair[] = [];
    const cursor = bucket.cursor();
    for (let found = seek(cursor, prefix, range.after); found; found = cursor.nextPage()) {
      const { page, index } = cursor.position();
      const end = endOfPrefix(page, index, prefix);
      for (let from = index; from < end; ) {
        const to = Math.min(end, from + limit - pairs.length);
        if (to === from) return { pairs, next: pairs.at(-1)!.key };
        this.#addPairs(pairs, page, from, to, range.keysOnly);
        from = to;
      }
      if (end < page.count) break;
    }
    return { pairs };
  }

  /** Adds what a page has from one element to another, but nested buckets, what has ended, and locks of other layouts. */
  #addPairs(pairs: KVPair[], page: Page, from: number, to: number, keysOnly: boolean): void {
    const { bytes } = page;
    const keys = new KeyTexts(page, from, to);
    const values = keysOnly ? undefined : new CopiedValues(page, from, to);
    for (let at = from; at < to; at++) {
      const key = keys.next();
      if (page.flags(at) !== 0) continue;
      if (keys.mayBeLocks && isLockKey(key)) continue;
      const hasLeases = this.#leases.size > 0;
      if (values === undefined && !hasLeases) {
        pairs.push(new KVPair(key, noBytes, 0n));
        continue;
      }
      const index = indexAt(key, bytes, page.valueOffset(at), page.valueLength(at));
      if (hasLeases && this.#leases.isOver(key, index)) continue;
      pairs.push(new KVPair(key, values === undefined ? noBytes : values.value(at, indexBytes), index));
    }
  }
}

/** The first element from `index` on whose key does not begin so, or the number of elements. */
function endOfPrefix(page: Page, index: number, prefix: Uint8Array): number {
  const { count } = page;
  if (count > index && hasPrefix(page, count - 1, prefix)) return count;
  let end = index;
  while (end < count && hasPrefix(page, end, prefix)) end++;
  return end;
}

function hasPrefix(page: Page, index: number, prefix: Uint8Array): boolean {
  if (page.keyLength(index) < prefix.length) return false;
  const offset = page.keyOffset(index);
  for (let at = prefix.length - 1; at >= 0; at--) if (page.bytes[offset + at] !== prefix[at]) return false;
  return true;
}

function seek(cursor: Cursor, prefix: Uint8Array, after: string | undefined): boolean {
  if (after === undefined) return prefix.length === 0 ? cursor.first() : cursor.seek(prefix);
  const from = encodeUtf8(after);
  const found = cursor.seek(from);
  return found && Buffer.compare(cursor.key!, from) === 0 ? cursor.next() : found;
}
