import type { Bucket } from "./bucket.js";
import type { Tx, WriteTx } from "./tx.js";

export interface CompactOptions {
  /** How many bytes of keys and values go into one transaction. Default 16 MiB. */
  transactionBytes?: number | undefined;
  /** Called after each transaction with the number of keys written so far. */
  onProgress?: ((keys: number) => void) | undefined;
}

export interface CompactResult {
  keys: number;
  buckets: number;
}

/** The new database, as far as compaction sees it. */
export interface CompactTarget {
  update<T>(fn: (tx: WriteTx) => T): Promise<T>;
  sync(): Promise<void>;
  /** Gives back what the file has beyond its last page. */
  trim(): void;
}

/** One element to copy: a key, or a nested bucket before all that it holds. */
type Element =
  | { readonly kind: "bucket"; readonly path: readonly Uint8Array[]; readonly sequence: bigint }
  | {
      readonly kind: "key";
      readonly path: readonly Uint8Array[];
      readonly key: Uint8Array;
      readonly value: Uint8Array;
    };

/** Copies all of a snapshot into an empty database, in order and in transactions of bounded size. */
export async function copyInto(tx: Tx, target: CompactTarget, options: CompactOptions): Promise<CompactResult> {
  const limit = options.transactionBytes ?? 16 * 1024 * 1024;
  const result: CompactResult = { keys: 0, buckets: 0 };
  const elements = walk(tx.root, []);
  let next = elements.next();
  while (!next.done) {
    await target.update((into) => {
      const copy = new Copy(into, result);
      do {
        copy.add(next.value as Element);
        next = elements.next();
      } while (!next.done && copy.bytes < limit);
    });
    options.onProgress?.(result.keys);
  }
  target.trim();
  await target.sync();
  return result;
}

/** The copying within one transaction. */
class Copy {
  bytes = 0;
  readonly #tx: WriteTx;
  readonly #result: CompactResult;
  #path: readonly Uint8Array[] | undefined;
  #bucket: Bucket | undefined;

  constructor(tx: WriteTx, result: CompactResult) {
    this.#tx = tx;
    this.#result = result;
  }

  add(element: Element): void {
    const { path } = element;
    if (element.kind === "bucket") {
      const bucket = this.#at(path.slice(0, -1)).createBucket(path.at(-1)!);
      bucket.setSequence(element.sequence);
      this.bytes += path.at(-1)!.length;
      this.#result.buckets++;
      return;
    }
    // Paths are shared by all keys of a bucket: looking it up once is enough.
    if (this.#bucket === undefined || this.#path !== path) {
      this.#bucket = this.#at(path);
      this.#path = path;
    }
    this.#bucket.put(element.key, element.value);
    this.bytes += element.key.length + element.value.length;
    this.#result.keys++;
  }

  #at(path: readonly Uint8Array[]): Bucket {
    return path.reduce((bucket, name) => bucket.bucket(name)!, this.#tx.root);
  }
}

function* walk(bucket: Bucket, path: readonly Uint8Array[]): Generator<Element> {
  const cursor = bucket.cursor();
  while (cursor.next()) {
    const key = cursor.key!;
    if (!cursor.isBucket) {
      yield { kind: "key", path, key, value: cursor.value! };
      continue;
    }
    const nested = bucket.bucket(key)!;
    const nestedPath = [...path, key];
    yield { kind: "bucket", path: nestedPath, sequence: nested.sequence };
    yield* walk(nested, nestedPath);
  }
}
