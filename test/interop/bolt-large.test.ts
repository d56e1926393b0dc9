import { open as openFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { open } from "../../src/bolt/engine/index.js";
import { applyToEngine, checkEngine, dumpEngine } from "./support/engine.js";
import { temporaryFolder } from "./support/folder.js";
import { changeMetas, freelistNotStored, metaField, pageHeaderSize } from "./support/forge.js";
import { goApply, goCheck, goDump } from "./support/go.js";
import { hex, randomHistory, separateBucketDeletes } from "./support/history.js";
import { Model, type Transaction } from "./support/model.js";
import { Random, testSeed } from "./support/random.js";

const file = temporaryFolder();
const seed = testSeed();

/**
 * Raises a file's high-water mark to `pages` without writing them: the new
 * pages are a hole. With `asFree` the freelist is marked as not stored, so that
 * the next writer finds them free; without, it goes on behind them.
 */
async function raiseHighWater(path: string, pages: number, asFree: boolean): Promise<void> {
  const handle = await openFile(path, "r+");
  const metas = Buffer.alloc(2 * 4096);
  await handle.read(metas, 0, metas.length, 0);
  const pageSize = metas.readUInt32LE(metaField.pageSize);
  const both = metas.subarray(0, 2 * pageSize);
  changeMetas(both, { highWater: BigInt(pages), ...(asFree ? { freelist: freelistNotStored } : {}) });
  await handle.write(both, 0, both.length, 0);
  await handle.truncate(Math.max((await handle.stat()).size, pages * pageSize));
  await handle.close();
}

/** How many ids the newest stored freelist has, read from the bytes. */
async function storedFreelist(path: string): Promise<number> {
  const handle = await openFile(path, "r");
  const read = async (offset: number, length: number): Promise<Buffer> =>
    (await handle.read(Buffer.alloc(length), 0, length, offset)).buffer;
  const pageSize = (await read(0, 80)).readUInt32LE(metaField.pageSize);
  const metas = [await read(0, 80), await read(pageSize, 80)];
  metas.sort((left, right) => Number(left.readBigUInt64LE(metaField.txid) - right.readBigUInt64LE(metaField.txid)));
  const page = await read(Number(metas[1]!.readBigUInt64LE(metaField.freelist)) * pageSize, 24);
  await handle.close();
  const count = page.readUInt16LE(10);
  return count === 0xffff ? Number(page.readBigUInt64LE(pageHeaderSize)) : count;
}

const bucket = [hex("bucket-0")];
const put = (key: string, size: number): Transaction => ({
  ops: [{ op: "put", bucket, key: hex(key), value: hex(`${key};`), size }],
});
const remove = (key: string): Transaction => ({ ops: [{ op: "delete", bucket, key: hex(key) }] });

describe("a freelist of more than 65,535 entries", () => {
  // 70 MB in pages of 1 KiB, put and deleted again.
  const history = [put("k-small", 10), put("k-huge", 70_000 * 1024), remove("k-huge"), put("k-after", 10)];
  const model = new Model();
  for (const transaction of history) model.apply(transaction);

  it("is written by Kvasir and read by Go", async () => {
    const path = file("ours-freelist.db");
    const db = await open(path, { pageSize: 1024 });
    for (const transaction of history) await applyToEngine(db, transaction);
    await db.close();
    expect(await storedFreelist(path)).toBeGreaterThan(65_535);
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
    expect(await goDump(path)).toBe(model.dump());
  });

  it("is written by Go and read by Kvasir", async () => {
    const path = file("go-freelist.db");
    await goApply(path, history, ["-page-size=1024", "-no-sync"]);
    expect(await storedFreelist(path)).toBeGreaterThan(65_535);
    const db = await open(path);
    expect(await checkEngine(db)).toEqual([]);
    expect(dumpEngine(db)).toBe(model.dump());
    await applyToEngine(db, put("k-again", 50_000));
    expect(await checkEngine(db)).toEqual([]);
    await db.close();
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
  });

  it("is right on both sides of the count at which its form changes", async () => {
    const counts: number[] = [];
    /** Has both write the file with so many pages, nearly all free; gives back how many ids Kvasir stored. */
    const writeWith = async (pages: number): Promise<number> => {
      const path = file(`edge-${pages}.db`);
      await goApply(path, [put("k-small", 10)], ["-page-size=1024"]);
      await raiseHighWater(path, pages, true);
      const db = await open(path);
      await applyToEngine(db, put("k-small", 20));
      expect(await checkEngine(db)).toEqual([]);
      await db.close();
      const count = await storedFreelist(path);
      expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
      await goApply(path, [put("k-go", 20)]);
      const again = await open(path, { readOnly: true });
      expect(await checkEngine(again)).toEqual([]);
      await again.close();
      return count;
    };
    // The freelist's own pages are not free: find out what that makes, then go over the edge in steps.
    const start = 66_000;
    const offset = start - (await writeWith(start));
    for (let count = 65_532; count <= 65_538; count++) counts.push(await writeWith(count + offset));
    expect(counts).toEqual(expect.arrayContaining([65_534, 65_535, 65_536]));
  });
});

describe("a file of more than 4 GiB, of which most is a hole", () => {
  // Page ids beyond 2^20 are offsets beyond 4 GiB at 4 KiB pages.
  const pages = 1_200_000;
  const shape = { transactions: 10, operations: 80, keys: 300, valueBytes: 200, largeBytes: 30_000 };

  it.each(["Kvasir", "Go"])(`is written far out by %s, and then by the other, seed ${seed}`, async (writer) => {
    const random = new Random(seed);
    const model = new Model();
    const path = file(`far-${writer}.db`);
    const write = async (by: string): Promise<void> => {
      const history = separateBucketDeletes(randomHistory(random, shape));
      for (const transaction of history) model.apply(transaction);
      if (by === "Go") return goApply(path, history, ["-no-sync", "-freelist=hashmap"]);
      const db = await open(path);
      for (const transaction of history) await applyToEngine(db, transaction);
      await db.close();
    };
    const verify = async (): Promise<void> => {
      const db = await open(path, { readOnly: true });
      expect(dumpEngine(db)).toBe(model.dump());
      await db.close();
      expect(await goDump(path)).toBe(model.dump());
    };

    await goApply(path, [put("k-first", 10)], ["-page-size=4096"]);
    model.apply(put("k-first", 10));
    await raiseHighWater(path, pages, false);
    await write(writer);
    await verify();
    // The hole lies between the pages; now it becomes free, and the freelist has over a million entries.
    await raiseHighWater(path, (await stat(path)).size / 4096, true);
    await write(writer === "Go" ? "Kvasir" : "Go");
    await verify();
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
    const db = await open(path);
    expect(await checkEngine(db)).toEqual([]);
    await db.close();
    const { size, blocks } = await stat(path);
    expect(size).toBeGreaterThan(4 * 2 ** 30);
    expect(blocks * 512).toBeLessThan(300 * 2 ** 20);
  });
});
