import { describe, expect, test } from "vitest";
import { type DB, MemoryStorage, openStorage } from "../../../src/bolt/engine/index.js";
import { SlabAllocator } from "../../../src/bolt/engine/slab.js";

const keyCount = 2_000;
const key = (index: number): Uint8Array => Buffer.from(`key/${index.toString().padStart(6, "0")}`);
const value = (index: number, round: number): Uint8Array => Buffer.from(`${round}:${index}`.padEnd(100, "."));

async function opened(): Promise<DB> {
  const db = await openStorage(new MemoryStorage(), { pageSize: 1024, noSync: true });
  await write(db, 0);
  return db;
}

/** One transaction that overwrites all keys from `first` on. */
async function write(db: DB, round: number, first = 0): Promise<void> {
  await db.update((tx) => {
    const bucket = tx.createBucketIfNotExists("b");
    for (let index = first; index < keyCount; index++) bucket.put(key(index), value(index, round));
  });
}

/** Enough rounds that memory of pages that are no longer used is used again, for other keys where some are left out. */
async function overwrite(db: DB, leftOut = 0): Promise<void> {
  for (let round = 1; round <= 8; round++) await write(db, round, leftOut * round * 9);
}

describe("views stay as they are while their pages are overwritten and their memory could be used again", () => {
  test.each(["get", "cursor.key", "cursor.value"])("those of %s in a read transaction", async (from) => {
    const db = await opened();
    const views = db.view((tx) => {
      const bucket = tx.bucket("b")!;
      const cursor = bucket.cursor();
      return Array.from({ length: keyCount }, (_, index) => {
        if (from === "get") return bucket.get(key(index))!;
        expect(cursor.next()).toBe(true);
        return from === "cursor.key" ? cursor.key! : cursor.value!;
      });
    });
    await overwrite(db, from === "cursor.key" ? 1 : 0);
    for (const [index, view] of views.entries()) {
      expect(Buffer.compare(view, from === "cursor.key" ? key(index) : value(index, 0))).toBe(0);
    }
    await db.close();
  });

  test("those of a write transaction, before and after it changed the page", async () => {
    const db = await opened();
    const views: [Uint8Array, Uint8Array][] = [];
    await db.update((tx) => {
      const bucket = tx.bucket("b")!;
      for (let index = 0; index < keyCount; index += 7) {
        const before = bucket.get(key(index))!;
        bucket.delete(key(index + 1));
        bucket.put(key(index), value(index, 77));
        views.push([before, bucket.get(key(index + 2)) ?? before]);
      }
    });
    await overwrite(db);
    for (const [at, [before, beside]] of views.entries()) {
      expect(Buffer.compare(before, value(7 * at, 0))).toBe(0);
      if (beside !== before) expect(Buffer.compare(beside, value(7 * at + 2, 0))).toBe(0);
    }
    await db.close();
  });

  test("those of pages that were made and read in one transaction", async () => {
    const db = await openStorage(new MemoryStorage(), { pageSize: 1024, noSync: true });
    const views = await db.update((tx) => {
      const bucket = tx.createBucket("b");
      for (let index = 0; index < keyCount; index++) bucket.put(key(index), value(index, 0));
      return Array.from({ length: keyCount }, (_, index) => bucket.get(key(index))!);
    });
    await overwrite(db);
    for (const [index, view] of views.entries()) expect(Buffer.compare(view, value(index, 0))).toBe(0);
    await db.close();
  });

  test("and a snapshot that is open stays whole", async () => {
    const db = await opened();
    const snapshot = db.begin();
    await overwrite(db);
    const bucket = snapshot.bucket("b")!;
    for (let index = 0; index < keyCount; index++) {
      expect(Buffer.compare(bucket.get(key(index))!, value(index, 0))).toBe(0);
    }
    snapshot.rollback();
    await db.close();
  });
});

describe("room for pages", () => {
  test("that was given back is used again for what is written over, not for what must be zero", () => {
    const memory = new SlabAllocator();
    memory.take(64);
    const { slab, start } = memory;
    slab.bytes.fill(7, start, start + 64);
    memory.giveBack(slab, start, 64);
    memory.take(64);
    expect([...memory.slab.bytes.subarray(memory.start, memory.start + 64)]).toEqual(Array(64).fill(0));
    memory.takeUsed(32);
    expect(memory.slab.bytes[memory.start]).toBe(0);
    memory.takeUsed(64);
    expect([memory.slab, memory.start]).toEqual([slab, start]);
    memory.takeUsed(64);
    expect(memory.slab.bytes[memory.start]).toBe(0);
  });
});
