import type { Operation, Transaction } from "./model.js";
import type { Random } from "./random.js";

/** What a random history looks like. */
export interface HistoryShape {
  /** Number of transactions. */
  transactions: number;
  /** Most operations in one transaction. */
  operations: number;
  /** How many different keys a bucket sees; small means many overwrites and deletes. */
  keys: number;
  /** Most bytes of an ordinary value. */
  valueBytes: number;
  /** Most bytes of a rare large value; several pages are needed for it. */
  largeBytes?: number | undefined;
  /** How deep buckets nest. Default 3. */
  depth?: number | undefined;
  /** Share of transactions that are rolled back. Default 0. */
  rollbacks?: number | undefined;
}

/**
 * A history that first grows a file and then shrinks it, again and again, so
 * that pages split, merge, overflow and are freed and used anew.
 */
export function randomHistory(random: Random, shape: HistoryShape): Transaction[] {
  const transactions: Transaction[] = [];
  for (let i = 0; i < shape.transactions; i++) {
    // Phases of eight transactions: deletes are rare in one and most of the next.
    const deletes = Math.floor(i / 8) % 2 === 0 ? 0.1 : 0.7;
    const ops = Array.from({ length: random.between(1, shape.operations) }, () =>
      randomOperation(random, shape, deletes),
    );
    transactions.push({ ops, ...(random.chance(shape.rollbacks ?? 0) ? { rollback: true } : {}) });
  }
  return transactions;
}

function randomOperation(random: Random, shape: HistoryShape, deletes: number): Operation {
  const bucket = randomPath(random, shape.depth ?? 3);
  const dice = random.next();
  if (dice < 0.02) return { op: "createBucket", bucket };
  if (dice < 0.03 + deletes / 100) return { op: "deleteBucket", bucket };
  if (dice < 0.05) return { op: "nextSequence", bucket };
  if (dice < 0.06) return { op: "setSequence", bucket, sequence: randomSequence(random) };
  const key = randomKey(random, shape.keys);
  if (random.chance(deletes)) return { op: "delete", bucket, key };
  if (shape.largeBytes !== undefined && random.chance(0.02)) {
    return {
      op: "put",
      bucket,
      key,
      value: random.bytes(7).toString("hex"),
      size: random.between(1, shape.largeBytes),
    };
  }
  return { op: "put", bucket, key, value: random.bytes(random.below(shape.valueBytes + 1)).toString("hex") };
}

/** Names start with `b` and keys with `k`, so that a put never meets a bucket. */
function randomPath(random: Random, depth: number): string[] {
  const path = [hex(`bucket-${random.below(2)}`)];
  while (path.length < depth && random.chance(0.4)) path.push(hex(`b${random.below(4)}`));
  return path;
}

/** A key by its number; the number also decides the key's length, so that the same keys come again. */
function randomKey(random: Random, keys: number): string {
  const n = random.below(keys);
  const tail = n % 11 === 0 ? "-a-much-longer-key-that-fills-branch-pages".repeat(1 + (n % 3)) : "";
  return hex(`k${String(n).padStart(6, "0")}${tail}`);
}

function randomSequence(random: Random): string {
  return random.chance(0.3) ? "18446744073709551614" : String(random.below(1 << 30));
}

export function hex(text: string): string {
  return Buffer.from(text, "utf8").toString("hex");
}

/**
 * The same history with every bucket delete in a transaction of its own. bbolt
 * 1.3.6 loses pages (its check says "unreachable unfreed") when a bucket is
 * changed and deleted in one transaction, which would hide faults of ours.
 */
export function separateBucketDeletes(history: readonly Transaction[]): Transaction[] {
  const separate: Transaction[] = [];
  for (const { ops, ...rest } of history) {
    let run: Operation[] = [];
    for (const operation of ops) {
      if (operation.op !== "deleteBucket") {
        run.push(operation);
        continue;
      }
      if (run.length > 0) separate.push({ ops: run, ...rest });
      separate.push({ ops: [operation], ...rest });
      run = [];
    }
    if (run.length > 0) separate.push({ ops: run, ...rest });
  }
  return separate;
}
