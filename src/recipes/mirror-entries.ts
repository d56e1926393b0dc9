import { equalBytes } from "../util/bytes.js";
import { compareKeys, directoryPrefix } from "../core/keys.js";

/** A key of a mirror, its decoded value and the revision it was read at. */
export interface MirrorEntry<T> {
  readonly key: string;
  readonly value: T;
  readonly revision: bigint;
}

/** What a mirror holds: found by key at once, and in the order of keys when that is asked for. */
export class MirrorEntries<T> {
  readonly #byKey = new Map<string, MirrorEntry<T>>();
  /** What each value was decoded from. */
  readonly #bytes = new Map<string, Uint8Array>();
  /** Made when it is first asked for after a change. */
  #sorted: readonly MirrorEntry<T>[] | undefined;

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): MirrorEntry<T> | undefined {
    return this.#byKey.get(key);
  }

  /** The entry that was made of just this pair: revisions alone can come again on a server that lost its data. */
  find(key: string, revision: bigint, bytes: Uint8Array): MirrorEntry<T> | undefined {
    const entry = this.#byKey.get(key);
    return entry?.revision === revision && equalBytes(this.#bytes.get(key)!, bytes) ? entry : undefined;
  }

  keys(): Iterable<string> {
    return this.#byKey.keys();
  }

  set(entry: MirrorEntry<T>, bytes: Uint8Array): void {
    this.#byKey.set(entry.key, entry);
    this.#bytes.set(entry.key, bytes);
    this.#sorted = undefined;
  }

  delete(key: string): void {
    this.#byKey.delete(key);
    this.#bytes.delete(key);
    this.#sorted = undefined;
  }

  /** Those below a directory: neighbours in the order of keys. */
  below(directory: string): readonly MirrorEntry<T>[] {
    this.#sorted ??= [...this.#byKey.values()].sort((left, right) => compareKeys(left.key, right.key));
    if (directory === "") return this.#sorted;
    const prefix = directoryPrefix(directory);
    const from = firstNotBefore(this.#sorted, prefix);
    let to = from;
    while (this.#sorted[to]?.key.startsWith(prefix) === true) to++;
    return this.#sorted.slice(from, to);
  }
}

/** Where the first entry stands whose key is not before `key`. */
function firstNotBefore(sorted: readonly MirrorEntry<unknown>[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(sorted[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
