import { describe, expect, test } from "vitest";
import { type DB, FaultStorage, openStorage } from "../../../src/bolt/engine/index.js";
import { bytes, seededRandom } from "./support.js";

const pageSize = 1024;
const keyCount = 8_000;
const key = (index: number): Uint8Array => bytes(`key/${index.toString().padStart(6, "0")}`);

/** A database whose keys fill some thousand pages, in order. */
async function loaded(storage: FaultStorage): Promise<DB> {
  const db = await openStorage(storage, { pageSize });
  await db.update((tx) => {
    const bucket = tx.createBucket("b");
    for (let index = 0; index < keyCount; index++) bucket.put(key(index), new Uint8Array(100));
  });
  return db;
}

/** Overwrites so many keys all over the file in each of `commits` transactions; gives back the writes of the last one. */
async function overwrite(db: DB, storage: FaultStorage, keys: number, commits: number): Promise<number> {
  const random = seededRandom(5);
  let before = 0;
  for (let commit = 0; commit < commits; commit++) {
    before = storage.writes;
    await db.update((tx) => {
      const bucket = tx.bucket("b")!;
      for (let at = 0; at < keys; at++)
        bucket.put(key(Math.floor(random() * keyCount)), new Uint8Array(100).fill(commit));
    });
  }
  return storage.writes - before;
}

describe("a commit of many scattered pages", () => {
  test("is written in few pieces, and the file grows by no more than is in use", async () => {
    const storage = new FaultStorage();
    const db = await loaded(storage);
    const used = db.stats().pages - db.stats().freePages!;
    // Some 60 leaves, as many branches, and the freelist.
    expect(await overwrite(db, storage, 64, 200)).toBeLessThan(40);
    expect(db.stats().pages).toBeLessThan(2.1 * used);
    expect(await db.check()).toEqual([]);
    await db.close();
  });

  test("fails without losing what was set aside for it", async () => {
    const storage = new FaultStorage();
    const db = await loaded(storage);
    await overwrite(db, storage, 64, 60);
    const unused = (): number => db.stats().freePages! + db.stats().pendingPages!;
    const before = [db.stats().pages, unused()];
    storage.failWrite(3);
    await expect(overwrite(db, storage, 64, 1)).rejects.toThrow(/EIO/);
    expect([db.stats().pages, unused()]).toEqual(before);
    expect(await overwrite(db, storage, 64, 3)).toBeLessThan(40);
    expect(await db.check()).toEqual([]);
    await db.close();
  });
});

describe("a small commit", () => {
  test("is written as its leaf, one piece of all else and the meta page, where the file has room", async () => {
    const storage = new FaultStorage();
    const db = await loaded(storage);
    await db.update((tx) => {
      for (let index = 0; index < keyCount / 4; index++) tx.bucket("b")!.delete(key(index));
    });
    await overwrite(db, storage, 1, 100);
    const { pages } = db.stats();
    const before = storage.writes;
    await overwrite(db, storage, 1, 100);
    expect(storage.writes - before).toBeLessThan(310);
    expect(db.stats().pages).toBe(pages);
    expect(await db.check()).toEqual([]);
    await db.close();
  });

  test("lets the file grow by no room for that", async () => {
    const storage = new FaultStorage();
    const db = await loaded(storage);
    const { pages } = db.stats();
    await overwrite(db, storage, 1, 300);
    expect(db.stats().pages).toBeLessThan(pages + 16);
    await db.close();
  });
});
