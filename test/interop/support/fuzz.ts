import { type DB, EngineError, openStorage } from "../../../src/bolt/engine/index.js";
import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";

/** How a damaged file was taken. */
export interface Verdict {
  /** Where it was refused; `sound` when every step went through. */
  refusedAt: "open" | "read" | "check" | "put" | "delete" | "sound";
  /** The longest step, in milliseconds. */
  slowestMs: number;
}

/** The one error that a damaged file may give. */
const allowed = "CORRUPT";

/**
 * Opens a file that may be damaged in any way, reads all of it, checks it, puts
 * a key and deletes keys and buckets. Throws for any error other than CORRUPT,
 * and for bytes that the file does not hold.
 */
export async function tryFile(bytes: Uint8Array): Promise<Verdict> {
  let slowestMs = 0;
  const timed = async <T>(step: () => T | Promise<T>): Promise<T | undefined> => {
    const start = performance.now();
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== allowed) throw error;
      return undefined;
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - start);
    }
  };
  const db = await timed(() => openStorage(new MemoryStorage(bytes)));
  if (db === undefined) return { refusedAt: "open", slowestMs };
  const read = await timed(() => readAll(db, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)));
  const problems = await timed(() => db.check());
  const put = await timed(() => putOne(db));
  const deleted = await timed(() => deleteMany(db));
  await timed(() => db.close());
  if (read === undefined) return { refusedAt: "read", slowestMs };
  if (problems?.length !== 0) return { refusedAt: "check", slowestMs };
  if (put === undefined) return { refusedAt: "put", slowestMs };
  return { refusedAt: deleted === undefined ? "delete" : "sound", slowestMs };
}

/** Walks all buckets both ways; every key and value given must stand in the file. Returns how many there were. */
function readAll(db: DB, file: Buffer): number {
  let count = 0;
  const seen = (view: Uint8Array): void => {
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.length);
    count++;
    if (bytes.length > 0 && !file.includes(bytes))
      throw new Error(`${bytes.length} bytes were read that are not in the file`);
  };
  const walk = (bucket: Walkable): void => {
    const cursor = bucket.cursor();
    let forward = 0;
    for (let found = cursor.first(); found; found = cursor.next()) {
      forward++;
      seen(cursor.key!);
      if (cursor.value !== undefined) seen(cursor.value);
      else walk(bucket.bucket(cursor.key!)!);
    }
    for (let found = cursor.last(); found; found = cursor.prev()) forward--;
    if (forward !== 0) throw new Error(`${forward} more keys forward than backward`);
  };
  db.view((tx) => walk(tx));
  return count;
}

/** What a transaction and a bucket have in common. */
type Walkable = Pick<Parameters<Parameters<DB["view"]>[0]>[0], "cursor" | "bucket">;

/** Puts a key and finds it again. */
async function putOne(db: DB): Promise<true> {
  const key = Buffer.from("k-fuzz");
  const value = Buffer.alloc(2000, "fuzz");
  await db.update((tx) => tx.createBucketIfNotExists("bucket-fuzz").put(key, value));
  const found = db.view((tx) => tx.bucket("bucket-fuzz")?.get(key));
  if (found === undefined || Buffer.compare(found, value) !== 0) throw new Error("the key just put is not there");
  return true;
}

/** Deletes keys here and there, so that pages are merged, and then a whole top-level bucket. */
async function deleteMany(db: DB): Promise<true> {
  await db.update((tx) => {
    const top = tx.cursor();
    for (let found = top.first(); found; found = top.next()) {
      if (!top.isBucket) continue;
      const cursor = tx.bucket(top.key!)!.cursor();
      for (let n = 0, more = cursor.first(); more; more = cursor.next()) {
        if (!cursor.isBucket && n++ % 3 > 0) cursor.delete();
      }
    }
  });
  await db.update((tx) => {
    const top = tx.cursor();
    if (top.first() && top.isBucket) tx.deleteBucket(top.key!);
  });
  return true;
}
