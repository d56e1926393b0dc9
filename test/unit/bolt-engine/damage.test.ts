import { describe, expect, test } from "vitest";
import { type CheckProblem, type DB, EngineError, MemoryStorage, openStorage } from "../../../src/bolt/engine/index.js";
import { type Meta, readMeta, writeMeta } from "../../../src/bolt/engine/meta.js";
import { bytes, fill, memoryDatabase, numberedKey, read, seededRandom, text } from "./support.js";

const pageSize = 1024;

/** The bytes of a sound database with a branch root, nested buckets and an overflowing value. */
async function soundFile(): Promise<Uint8Array> {
  const storage = new MemoryStorage();
  const db = await openStorage(storage, { pageSize });
  await fill(db, 300);
  await db.update((tx) => {
    tx.bucket("b")!.put(bytes("large"), new Uint8Array(5000));
    tx.createBucket("inline").put(bytes("k"), bytes("v"));
  });
  await fill(db, 50);
  await db.close();
  return storage.content();
}

/** The first page of this type (1 branch, 2 leaf, 16 freelist) in use, with the given number of elements or more. */
async function findPage(file: Uint8Array, type: number, elements = 0): Promise<number> {
  const db = await openStorage(new MemoryStorage(file));
  const { pages } = db.stats();
  await db.close();
  const view = Buffer.from(file);
  for (let id = pages - 1; id >= 2; id--) {
    const at = id * pageSize;
    if (view.readUInt16LE(at + 8) !== type || view.readUInt16LE(at + 10) < elements) continue;
    const damaged = Buffer.from(file);
    damaged.fill(0xff, at, at + 10);
    if ((await problemsOf(damaged)).length > 0) return id;
  }
  throw new Error("no such page");
}

async function problemsOf(file: Uint8Array): Promise<string[]> {
  const db = await openStorage(new MemoryStorage(file));
  try {
    return (await db.check()).map(({ message }) => message);
  } finally {
    await db.close();
  }
}

function readEverything(db: DB): void {
  db.view((tx) => {
    const cursor = tx.cursor();
    while (cursor.next()) tx.bucket(cursor.key!)!.forEach((key, value) => void [key, value]);
  });
}

describe("a damaged page", () => {
  const cases: [string, number, number, (page: Buffer) => void, RegExp][] = [
    ["with a wrong id", 2, 5, (page) => page.writeUInt32LE(999, 0), /carries the id of page 999/],
    ["of no known type", 2, 5, (page) => page.writeUInt16LE(0x40, 8), /unknown/],
    ["of two types at once", 2, 5, (page) => page.writeUInt16LE(0x03, 8), /unknown/],
    ["with too many elements", 2, 5, (page) => page.writeUInt16LE(5000, 10), /more than fit/],
    ["with an overflow past the end", 2, 5, (page) => page.writeUInt32LE(4_000_000, 12), /overflow/],
    ["with a key outside", 2, 5, (page) => page.writeUInt32LE(900_000, 20), /past the end of the page/],
    ["with an endless value", 2, 5, (page) => page.writeUInt32LE(0xffff_ffff, 28), /past the end of the page/],
    ["with an empty key", 2, 5, (page) => page.writeUInt32LE(0, 24), /empty key/],
    ["with keys out of order", 2, 5, (page) => void page.write("zzzz", 16 + 16 + page.readUInt32LE(36)), /not above/],
    ["with unknown flags", 2, 5, (page) => page.writeUInt32LE(8, 16), /unknown flags/],
    ["that points outside", 1, 2, (page) => page.writeUInt32LE(70_000, 24), /points to page 70000/],
    ["that points to itself", 1, 2, (page) => void page.copy(page, 24, 0, 8), /its own page/],
    ["of the branch kind without elements", 1, 2, (page) => page.writeUInt16LE(0, 10), /without elements/],
  ];

  test.each(cases)("%s is CORRUPT, with its page id", async (_name, type, elements, damage, reason) => {
    const file = Buffer.from(await soundFile());
    const id = await findPage(file, type, elements);
    damage(file.subarray(id * pageSize, (id + 1) * pageSize));
    const db = await openStorage(new MemoryStorage(file));
    const corrupt = expect.objectContaining({ code: "CORRUPT", pageId: id, message: expect.stringMatching(reason) });
    expect(() => readEverything(db)).toThrow(corrupt);
    expect(await problemsOf(file)).toContainEqual(expect.stringMatching(reason));
    await db.close();
  });
});

describe("a damaged tree", () => {
  test("whose branch points to one page twice is CORRUPT, not endless", async () => {
    const file = Buffer.from(await soundFile());
    const at = (await findPage(file, 1, 2)) * pageSize;
    file.copy(file, at + 40, at + 24, at + 32);
    const db = await openStorage(new MemoryStorage(file));
    expect(() => readEverything(db)).toThrow(expect.objectContaining({ code: "CORRUPT" }));
    expect((await db.check()).some(({ message }) => /more than once/.test(message))).toBe(true);
    await db.close();
  });

  test("cut short is CORRUPT", async () => {
    const file = await soundFile();
    const opening = openStorage(new MemoryStorage(file.subarray(0, 6 * pageSize)));
    await expect(opening).rejects.toThrow(expect.objectContaining({ code: "CORRUPT", pageId: 6 }));
  });
});

describe("a root that points to some bucket's page", () => {
  test("is found by check(): keys lie outside buckets only there", async () => {
    const file = Buffer.from(await soundFile());
    const leaf = await findPage(file, 2, 5);
    for (const at of [0, pageSize]) {
      const meta = readMeta(file.subarray(at, at + pageSize)) as Meta;
      file.fill(0, at, at + pageSize);
      writeMeta(file.subarray(at, at + pageSize), { ...meta, root: leaf });
    }
    expect(await problemsOf(file)).toContainEqual(expect.stringMatching(/a key outside any bucket/));
  });
});

describe("a damaged freelist", () => {
  test("stops writing, not reading", async () => {
    const file = Buffer.from(await soundFile());
    const id = await findPage(file, 16);
    file.writeUInt16LE(2, id * pageSize + 8);
    const db = await openStorage(new MemoryStorage(file));
    expect(read(db)?.size).toBe(301);
    await expect(fill(db, 1)).rejects.toThrow(expect.objectContaining({ code: "CORRUPT", pageId: id }));
    await db.close();
  });

  test("that lists a page in use is found by check(), and before a write over it is committed", async () => {
    const file = Buffer.from(await soundFile());
    const [leaf, list] = [await findPage(file, 2, 5), await findPage(file, 16)];
    const at = list * pageSize;
    const count = file.readUInt16LE(at + 10);
    file.writeUInt16LE(count + 1, at + 10);
    file.writeBigUInt64LE(BigInt(leaf), at + 16 + 8 * count);
    const db = await openStorage(new MemoryStorage(file));
    expect((await db.check()).map(({ pageId }) => pageId)).toContain(leaf);
    await expect(fill(db, 300)).rejects.toThrow(expect.objectContaining({ code: "CORRUPT", pageId: leaf }));
    expect(read(db)?.size).toBe(301);
    await db.close();
  });
});

describe("random damage", () => {
  test("gives CORRUPT or data, never anything else", async () => {
    const file = await soundFile();
    const random = seededRandom(5);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const damaged = new Uint8Array(file);
      for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips--) {
        damaged[Math.floor(random() * damaged.length)]! ^= 1 << Math.floor(random() * 8);
      }
      let problems: CheckProblem[] = [];
      try {
        const db = await openStorage(new MemoryStorage(damaged));
        readEverything(db);
        problems = await db.check();
        await fill(db, 20);
        expect(text(db.view((tx) => tx.bucket("b")!.get(numberedKey(3))))).toBe("v".repeat(20));
        await db.close();
      } catch (error) {
        expect(error).toBeInstanceOf(EngineError);
        // A flipped flag makes a bucket of a key, which a write tells as what it is; check() sees the damage.
        const isBucketNow = (error as EngineError).code === "INCOMPATIBLE" && problems.length > 0;
        expect(isBucketNow ? "CORRUPT" : (error as EngineError).code).toBe("CORRUPT");
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});

test("memoryDatabase refuses a file that is none", async () => {
  await expect(memoryDatabase({}, new MemoryStorage(bytes("no database")))).rejects.toThrow(/not a BoltDB file/);
});
