/**
 * The plain in-memory picture of a Bolt file that every writer is compared
 * with. Names, keys and values are hexadecimal strings throughout: they sort as
 * their bytes do and travel to the Go oracle as they are.
 */

/** One step of a transaction; buckets missing on the path are made, as the Go oracle does. */
export type Operation =
  | { op: "put"; bucket: string[]; key: string; value: string; size?: number | undefined }
  | { op: "delete"; bucket: string[]; key: string }
  | { op: "createBucket" | "deleteBucket" | "nextSequence"; bucket: string[] }
  | { op: "setSequence"; bucket: string[]; sequence: string };

/** Operations committed, or rolled back, together. */
export interface Transaction {
  ops: Operation[];
  rollback?: boolean | undefined;
}

export class ModelBucket {
  sequence = 0n;
  readonly values = new Map<string, string>();
  readonly buckets = new Map<string, ModelBucket>();
}

export class Model {
  readonly root = new ModelBucket();

  apply(transaction: Transaction): void {
    if (transaction.rollback === true) return;
    for (const operation of transaction.ops) this.#run(operation);
  }

  #run(operation: Operation): void {
    if (operation.op === "deleteBucket") {
      this.#open(operation.bucket.slice(0, -1)).buckets.delete(operation.bucket.at(-1)!);
      return;
    }
    const bucket = this.#open(operation.bucket);
    switch (operation.op) {
      case "put":
        bucket.values.set(operation.key, wholeValue(operation));
        break;
      case "delete":
        bucket.values.delete(operation.key);
        break;
      case "nextSequence":
        bucket.sequence = BigInt.asUintN(64, bucket.sequence + 1n);
        break;
      case "setSequence":
        bucket.sequence = BigInt(operation.sequence);
        break;
      case "createBucket":
        break;
    }
  }

  #open(path: readonly string[]): ModelBucket {
    let bucket = this.root;
    for (const name of path) {
      let inner = bucket.buckets.get(name);
      if (inner === undefined) {
        inner = new ModelBucket();
        bucket.buckets.set(name, inner);
      }
      bucket = inner;
    }
    return bucket;
  }

  /** The picture that a dump shows. */
  static fromDump(dump: string): Model {
    const model = new Model();
    for (const line of dump.split("\n").filter(Boolean)) {
      const entry = JSON.parse(line) as { path: string[]; sequence?: string; key?: string; value?: string };
      const bucket = model.#open(entry.path);
      if (entry.sequence !== undefined) bucket.sequence = BigInt(entry.sequence);
      else bucket.values.set(entry.key!, entry.value!);
    }
    return model;
  }

  /** The lines that the Go oracle's `dump` prints for a file that holds this. */
  dump(): string {
    const lines: string[] = [];
    for (const name of [...this.root.buckets.keys()].sort()) {
      dumpBucket(lines, [name], this.root.buckets.get(name)!);
    }
    return lines.join("");
  }
}

function dumpBucket(lines: string[], path: string[], bucket: ModelBucket): void {
  lines.push(bucketLine(path, bucket.sequence));
  const names = [...bucket.values.keys(), ...bucket.buckets.keys()].sort();
  for (const name of names) {
    const inner = bucket.buckets.get(name);
    if (inner === undefined) lines.push(keyLine(path, name, bucket.values.get(name)!));
    else dumpBucket(lines, [...path, name], inner);
  }
}

/** A bucket's line of a dump. */
export function bucketLine(path: readonly string[], sequence: bigint): string {
  return `${JSON.stringify({ path, sequence: sequence.toString() })}\n`;
}

/** A key's line of a dump. */
export function keyLine(path: readonly string[], key: string, value: string): string {
  return `{"path":${JSON.stringify(path)},"key":"${key}","value":"${value}"}\n`;
}

/** The value a put writes: `size` repeats the pattern up to that many bytes. */
export function wholeValue(put: { value: string; size?: number | undefined }): string {
  if (put.size === undefined || put.size === 0) return put.value;
  const times = Math.floor((put.size * 2) / put.value.length) + 1;
  return put.value.repeat(times).slice(0, put.size * 2);
}
