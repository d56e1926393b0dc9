import type { Bucket, DB, Tx } from "../../../src/bolt/engine/index.js";
import { bucketLine, keyLine, type Operation, type Transaction, wholeValue } from "./model.js";

class RollbackRequested extends Error {}

/** Our engine applies one transaction; resolves when it is durable, or rolled back as asked. */
export async function applyToEngine(db: DB, transaction: Transaction): Promise<void> {
  try {
    await db.update((tx) => {
      runOperations(tx, transaction.ops);
      if (transaction.rollback === true) throw new RollbackRequested();
    });
  } catch (error) {
    if (!(error instanceof RollbackRequested)) throw error;
  }
}

/** Runs the operations in a write transaction of our engine. */
export function runOperations(tx: Tx, operations: readonly Operation[]): void {
  for (const operation of operations) {
    if (operation.op === "deleteBucket") deleteBucket(tx, operation.bucket);
    else runInBucket(openBucket(tx, operation.bucket), operation);
  }
}

function runInBucket(bucket: Bucket, operation: Operation): void {
  switch (operation.op) {
    case "put":
      bucket.put(bytes(operation.key), bytes(wholeValue(operation)));
      break;
    case "delete":
      bucket.delete(bytes(operation.key));
      break;
    case "nextSequence":
      bucket.nextSequence();
      break;
    case "setSequence":
      bucket.setSequence(BigInt(operation.sequence));
      break;
    case "createBucket":
    case "deleteBucket":
      break;
  }
}

function openBucket(tx: Tx, path: readonly string[]): Bucket {
  let bucket = tx.createBucketIfNotExists(bytes(path[0]!));
  for (const name of path.slice(1)) bucket = bucket.createBucketIfNotExists(bytes(name));
  return bucket;
}

function deleteBucket(tx: Tx, path: readonly string[]): void {
  const parent = path.length === 1 ? tx : openBucket(tx, path.slice(0, -1));
  const name = bytes(path.at(-1)!);
  if (parent.bucket(name) !== undefined) parent.deleteBucket(name);
}

/** What our engine's check() finds, as text. */
export async function checkEngine(db: DB): Promise<string[]> {
  return (await db.check()).map(({ message }) => message);
}

/** All that our engine reads, in the lines that the Go oracle's `dump` prints; each key is also looked up by itself. */
export function dumpEngine(db: DB): string {
  return db.view(dumpTx);
}

/** The same for one transaction. */
export function dumpTx(tx: Tx): string {
  const lines: string[] = [];
  const cursor = tx.cursor();
  for (let found = cursor.first(); found; found = cursor.next()) {
    const name = cursor.key!;
    dumpBucket(lines, [hexOf(name)], tx.bucket(name)!);
  }
  return lines.join("");
}

function dumpBucket(lines: string[], path: string[], bucket: Bucket): void {
  lines.push(bucketLine(path, bucket.sequence));
  bucket.forEach((key, value) => {
    const name = hexOf(key);
    if (value === undefined) {
      const inner = bucket.bucket(key);
      if (inner === undefined) throw new Error(`bucket ${name} is in the walk but not found by name`);
      dumpBucket(lines, [...path, name], inner);
      return;
    }
    const found = bucket.get(key);
    if (found === undefined || Buffer.compare(found, value) !== 0) throw new Error(`key ${name} is not found by name`);
    lines.push(keyLine(path, name, hexOf(value)));
  });
}

function bytes(hex: string): Buffer {
  return Buffer.from(hex, "hex");
}

function hexOf(view: Uint8Array): string {
  return Buffer.from(view.buffer, view.byteOffset, view.length).toString("hex");
}
