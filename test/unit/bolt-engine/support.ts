import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { type Bucket, type DB, MemoryStorage, type OpenOptions, openStorage } from "../../../src/bolt/engine/index.js";
import { decodeUtf8, encodeUtf8 } from "../../../src/util/bytes.js";

export const bytes = encodeUtf8;

export function text(value: Uint8Array | undefined): string | undefined {
  return value && decodeUtf8(value);
}

/** A folder of its own for the running test, gone after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "kvasir-engine-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A database in memory, closed after the test. */
export async function memoryDatabase(options?: OpenOptions, storage = new MemoryStorage()): Promise<DB> {
  const db = await openStorage(storage, options);
  onTestFinished(() => db.close());
  return db;
}

/** Random numbers from 0 up to 1, the same ones for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A bucket's content: a string for a value, a map for a nested bucket. */
export type Content = Map<string, string | Content>;

/** All that a bucket holds, in its order. */
export function contentOf(bucket: Bucket): Content {
  const content: Content = new Map();
  bucket.forEach((key, value) => {
    content.set(text(key)!, value === undefined ? contentOf(bucket.bucket(key)!) : text(value)!);
  });
  return content;
}

/** The content as one string, in its own order: quick to compare. */
export function listed(content: Content): string {
  return JSON.stringify(content, (_key, value: unknown) => (value instanceof Map ? [...(value as Content)] : value));
}

/** The same content with keys in byte order. */
export function sorted(content: Content): Content {
  const entries = [...content].toSorted(([left], [right]) => Buffer.compare(bytes(left), bytes(right)));
  return new Map(entries.map(([key, value]) => [key, typeof value === "string" ? value : sorted(value)]));
}

/** The keys and values of a top-level bucket. */
export function read(db: DB, name = "b"): Content | undefined {
  return db.view((tx) => {
    const bucket = tx.bucket(name);
    return bucket && contentOf(bucket);
  });
}

export async function expectSound(db: DB): Promise<void> {
  expect(await db.check()).toEqual([]);
}

/** Fills the bucket `b` with `count` keys `key00000`, ... */
export async function fill(db: DB, count: number, valueLength = 20): Promise<void> {
  await db.update((tx) => {
    const bucket = tx.createBucketIfNotExists("b");
    for (let index = 0; index < count; index++) bucket.put(numberedKey(index), bytes("v".repeat(valueLength)));
  });
}

export function numberedKey(index: number): Uint8Array {
  return bytes(`key${String(index).padStart(5, "0")}`);
}
