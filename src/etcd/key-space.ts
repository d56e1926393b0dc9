import { canonicalKey, directoryPrefix, isLockKey, lockSuffix } from "../core/keys.js";
import { decodeUtf8, encodeUtf8 } from "../util/bytes.js";
import { prefixEnd } from "./client/index.js";

/** A range of etcd's keys: from `key`, up to but without `rangeEnd`. */
export interface KeyRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** Where the store's keys lie among etcd's: key `a/b` at `a/b`, or at `prefix/a/b`. */
export class KeySpace {
  /** `""`, or the prefix with a slash at its end. */
  readonly #prefix: string;
  readonly #prefixBytes: number;

  /** `prefix` is canonical; `""` for the whole of etcd. */
  constructor(prefix: string) {
    this.#prefix = directoryPrefix(prefix);
    this.#prefixBytes = encodeUtf8(this.#prefix).length;
  }

  encode(key: string): Uint8Array {
    return encodeUtf8(this.#prefix + key);
  }

  /** All keys below a directory; the root's are all keys of the store. */
  below(directory: string): KeyRange {
    return rangeOf(encodeUtf8(this.#prefix + directoryPrefix(directory)));
  }

  /** The keys of those who contend for a lock. */
  contenders(key: string): KeyRange {
    return rangeOf(encodeUtf8(`${this.#prefix}${key}${lockSuffix}/`));
  }

  /** The key of one contender, named after its lease as etcd's `concurrency` package does. */
  contender(key: string, leaseId: bigint): Uint8Array {
    return encodeUtf8(`${this.#prefix}${key}${lockSuffix}/${leaseId.toString(16)}`);
  }

  /** The store's name of one of etcd's keys; `undefined` for those of locks, and those that no key of a store has. */
  decode(bytes: Uint8Array): string | undefined {
    try {
      const key = decodeUtf8(bytes.subarray(this.#prefixBytes));
      return canonicalKey(key) === key ? key : undefined;
    } catch {
      return undefined;
    }
  }

  /** For a key that belongs to a lock's machinery, the directory that holds all of that lock's, as a range. */
  lockRange(bytes: Uint8Array): KeyRange | undefined {
    const key = Buffer.from(bytes).toString();
    if (!isLockKey(key)) return undefined;
    const segments = key.split("/");
    const at = segments.findIndex((segment) => segment.endsWith(lockSuffix));
    return rangeOf(encodeUtf8(`${segments.slice(0, at + 1).join("/")}/`));
  }
}

function rangeOf(prefix: Uint8Array): KeyRange {
  // An empty key is not allowed; one zero byte is the smallest.
  return { key: prefix.length === 0 ? new Uint8Array(1) : prefix, rangeEnd: prefixEnd(prefix) };
}

/** The first key after this one. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
