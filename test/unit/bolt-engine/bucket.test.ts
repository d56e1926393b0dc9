import { describe, expect, test } from "vitest";
import { MemoryStorage } from "../../../src/bolt/engine/index.js";
import {
  bytes,
  type Content,
  expectSound,
  fill,
  listed,
  memoryDatabase,
  numberedKey,
  read,
  seededRandom,
  sorted,
  text,
} from "./support.js";

describe("keys", () => {
  test("are put, replaced and deleted", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const bucket = tx.createBucket("b");
      bucket.put(bytes("k"), bytes("one"));
      bucket.put(bytes("k"), bytes("two"));
      expect(text(bucket.get(bytes("k")))).toBe("two");
      bucket.put(bytes("gone"), bytes("x"));
      expect(bucket.delete(bytes("gone"))).toBe(true);
      expect(bucket.delete(bytes("gone"))).toBe(false);
    });
    expect(read(db)).toEqual(new Map([["k", "two"]]));
    await expectSound(db);
  });

  test("and values are copied: the caller may reuse its bytes", async () => {
    const db = await memoryDatabase();
    const key = bytes("key");
    const value = bytes("value");
    await db.update((tx) => {
      tx.createBucket("b").put(key, value);
      key.fill(0);
      value.fill(0);
    });
    expect(read(db)).toEqual(new Map([["key", "value"]]));
  });

  test("and values returned stay as they are, whatever is written afterwards", async () => {
    const db = await memoryDatabase({ cacheBytes: 16_384 });
    await fill(db, 500);
    const value = db.view((tx) => tx.bucket("b")!.get(numberedKey(7)))!;
    for (let round = 0; round < 20; round++) {
      await db.update((tx) => {
        for (let index = 0; index < 500; index++) tx.bucket("b")!.put(numberedKey(index), bytes(`round ${round}`));
      });
    }
    expect(text(value)).toBe("v".repeat(20));
  });

  test("may be empty in value, never in name", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const bucket = tx.createBucket("b");
      bucket.put(bytes("empty"), new Uint8Array(0));
      expect(() => bucket.put(new Uint8Array(0), bytes("x"))).toThrow(/must not be empty/);
      expect(() => bucket.put(new Uint8Array(32_769), bytes("x"))).toThrow(/32768/);
      bucket.put(new Uint8Array(32_768), bytes("longest"));
    });
    expect(db.view((tx) => tx.bucket("b")!.get(bytes("empty")))).toEqual(new Uint8Array(0));
    expect(text(db.view((tx) => tx.bucket("b")!.get(new Uint8Array(32_768))))).toBe("longest");
    await expectSound(db);
  });

  test.each([1024, 2048, 4096, 8192, 16_384, 32_768, 65_536])("survive reopening at page size %i", async (pageSize) => {
    const storage = new MemoryStorage();
    const db = await memoryDatabase({ pageSize }, storage);
    await fill(db, 3000);
    await db.update((tx) => {
      for (let index = 0; index < 3000; index += 3) tx.bucket("b")!.delete(numberedKey(index));
    });
    await expectSound(db);
    const again = await memoryDatabase({}, new MemoryStorage(storage.content()));
    expect(again.pageSize).toBe(pageSize);
    expect(read(again)?.size).toBe(2000);
    expect(read(again)).toEqual(read(db));
  });

  test("hold values that take many pages", async () => {
    const storage = new MemoryStorage();
    const db = await memoryDatabase({ pageSize: 1024 }, storage);
    const lengths = [0, 1000, 1024, 5000, 100_000, 1_000_000];
    await db.update((tx) => {
      for (const length of lengths)
        tx.createBucketIfNotExists("b").put(bytes(`of ${length}`), new Uint8Array(length).fill(7));
    });
    const again = await memoryDatabase({}, new MemoryStorage(storage.content()));
    again.view((tx) => {
      for (const length of lengths) {
        const value = tx.bucket("b")!.get(bytes(`of ${length}`))!;
        expect(Buffer.compare(value, new Uint8Array(length).fill(7)), `${length} bytes`).toBe(0);
      }
    });
    await db.update((tx) => tx.bucket("b")!.delete(bytes("of 1000000")));
    await expectSound(db);
  });
});

describe("the tree", () => {
  test("gives its levels back when it is emptied", async () => {
    const db = await memoryDatabase();
    await fill(db, 20_000);
    const depth = db.view((tx) => tx.bucket("b")!.stats().depth);
    expect(depth).toBe(3);
    for (let from = 0; from < 20_000; from += 1000) {
      await db.update((tx) => {
        for (let index = from; index < from + 1000; index++) tx.bucket("b")!.delete(numberedKey(index));
      });
      await expectSound(db);
    }
    expect(db.view((tx) => tx.bucket("b")!.stats())).toMatchObject({ keys: 0, inlineBuckets: 1, leafPages: 0 });
  });

  test("reuses freed pages: rewriting does not make the file grow", async () => {
    const db = await memoryDatabase();
    await fill(db, 1000);
    await fill(db, 1000);
    const { pages } = db.stats();
    for (let round = 0; round < 30; round++) await fill(db, 1000);
    expect(db.stats().pages).toBeLessThanOrEqual(pages + 2);
  });

  test("fills pages as told", async () => {
    const pagesAt = async (fillPercent: number): Promise<number> => {
      const db = await memoryDatabase({ fillPercent });
      await fill(db, 5000);
      return db.view((tx) => tx.bucket("b")!.stats().leafPages);
    };
    expect(await pagesAt(1)).toBeLessThan((await pagesAt(0.5)) * 0.65);
  });

  test("fills pages where keys come in order, in one transaction or in several, and leaves room where they do not", async () => {
    const pagesOf = async (order: (index: number) => number, perTransaction: number): Promise<number> => {
      const db = await memoryDatabase();
      for (let from = 0; from < 5000; from += perTransaction) {
        await db.update((tx) => {
          const bucket = tx.createBucketIfNotExists("b");
          for (let index = from; index < from + perTransaction; index++) {
            bucket.put(numberedKey(order(index)), bytes("v".repeat(20)));
          }
        });
      }
      await expectSound(db);
      return db.view((tx) => tx.bucket("b")!.stats().leafPages);
    };
    const full = Math.ceil((5000 * (16 + 8 + 20)) / (4096 - 16));
    expect(await pagesOf((index) => index, 5000)).toBeLessThanOrEqual(full + 1);
    expect(await pagesOf((index) => index, 1000)).toBeLessThanOrEqual(full + 5);
    expect(await pagesOf((index) => (index * 1663) % 5000, 1000)).toBeGreaterThan(full * 1.2);
  });

  test.each([1024, 4096])(
    "takes keys in order and edits among them in one transaction, pages of %i bytes",
    async (pageSize) => {
      const random = seededRandom(pageSize);
      const db = await memoryDatabase({ pageSize });
      const expected: Content = new Map();
      let next = 0;
      for (let round = 0; round < 8; round++) {
        await db.update((tx) => {
          const bucket = tx.createBucketIfNotExists("b");
          for (let run = 0; run < 4; run++) {
            for (const end = next + 700; next < end; next += 2) {
              const value = "v".repeat(random() < 0.01 ? 3 * pageSize : Math.floor(random() * 60));
              bucket.put(numberedKey(next), bytes(value));
              expected.set(text(numberedKey(next))!, value);
            }
            for (let edit = 0; edit < 30; edit++) {
              const key = numberedKey(Math.floor(random() * next));
              if (random() < 0.3) {
                expect(bucket.delete(key)).toBe(expected.delete(text(key)!));
              } else {
                bucket.put(key, bytes(String(edit)));
                expected.set(text(key)!, String(edit));
              }
              expect(bucket.get(key) && text(bucket.get(key))).toBe(expected.get(text(key)!));
            }
          }
        });
        expect(listed(read(db)!)).toBe(listed(sorted(expected)));
        await expectSound(db);
      }
    },
  );
});

describe("nested buckets", () => {
  test("are created, found, listed and deleted with all they hold", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const outer = tx.createBucket("outer");
      outer.put(bytes("k"), bytes("v"));
      const inner = outer.createBucket("inner");
      for (let index = 0; index < 2000; index++) inner.put(numberedKey(index), bytes("v"));
      inner.createBucket("deep").put(bytes("x"), bytes("y"));
    });
    expect(read(db, "outer")?.get("inner")).toMatchObject({ size: 2001 });
    await expectSound(db);
    await db.update((tx) => tx.bucket("outer")!.deleteBucket("inner"));
    expect(read(db, "outer")).toEqual(new Map([["k", "v"]]));
    await expectSound(db);
  });

  test("deleted together with the bucket around them, after changes to both", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const nested = tx.createBucket("a").createBucket("b").createBucket("c");
      for (let index = 0; index < 1000; index++) nested.put(numberedKey(index), bytes("v"));
    });
    await db.update((tx) => {
      const inner = tx.bucket("a")!.bucket("b")!;
      inner.deleteBucket("c");
      inner.createBucket("d").put(bytes("k"), bytes("v"));
      tx.deleteBucket("a");
      expect(tx.bucket("a")).toBeUndefined();
      expect(() => inner.get(bytes("k"))).toThrow(expect.objectContaining({ code: "CLOSED" }));
    });
    await expectSound(db);
    expect(db.view((tx) => tx.cursor().first())).toBe(false);
  });

  test("are inline while small, and again once they are small again", async () => {
    const db = await memoryDatabase();
    const isInline = (): boolean => db.view((tx) => tx.bucket("b")!.stats().inlineBuckets === 1);
    await fill(db, 5);
    expect(isInline()).toBe(true);
    await fill(db, 100);
    expect(isInline()).toBe(false);
    await db.update((tx) => {
      for (let index = 5; index < 100; index++) tx.bucket("b")!.delete(numberedKey(index));
    });
    expect(isInline()).toBe(true);
    expect(read(db)?.size).toBe(5);
    await expectSound(db);
  });

  test("are told from keys", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const bucket = tx.createBucket("b");
      bucket.createBucket("nested");
      bucket.put(bytes("key"), bytes("v"));
      const incompatible = expect.objectContaining({ code: "INCOMPATIBLE" });
      expect(() => bucket.put(bytes("nested"), bytes("v"))).toThrow(incompatible);
      expect(() => bucket.delete(bytes("nested"))).toThrow(incompatible);
      expect(() => bucket.createBucket("key")).toThrow(incompatible);
      expect(() => bucket.deleteBucket("key")).toThrow(incompatible);
      expect(() => bucket.createBucket("nested")).toThrow(expect.objectContaining({ code: "BUCKET_EXISTS" }));
      expect(() => bucket.deleteBucket("absent")).toThrow(expect.objectContaining({ code: "BUCKET_NOT_FOUND" }));
      expect(bucket.get(bytes("nested"))).toBeUndefined();
      expect(bucket.bucket("key")).toBeUndefined();
    });
    await expectSound(db);
  });
});

describe("a sequence", () => {
  test("counts, is kept, and holds 64 bits", async () => {
    const storage = new MemoryStorage();
    const db = await memoryDatabase({}, storage);
    await db.update((tx) => {
      const bucket = tx.createBucket("b");
      expect([bucket.nextSequence(), bucket.nextSequence()]).toEqual([1n, 2n]);
      const large = tx.createBucket("large");
      for (let index = 0; index < 1000; index++) large.put(numberedKey(index), bytes("v"));
    });
    await db.update((tx) => tx.bucket("large")!.setSequence(2n ** 64n - 1n));
    const again = await memoryDatabase({}, new MemoryStorage(storage.content()));
    expect(again.view((tx) => [tx.bucket("b")!.sequence, tx.bucket("large")!.sequence])).toEqual([2n, 2n ** 64n - 1n]);
    await expectSound(again);
  });
});
