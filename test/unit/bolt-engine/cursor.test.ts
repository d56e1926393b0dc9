import { describe, expect, test } from "vitest";
import type { Cursor } from "../../../src/bolt/engine/index.js";
import { bytes, expectSound, fill, memoryDatabase, numberedKey, read, text } from "./support.js";

const keysOf = (cursor: Cursor, step: "next" | "prev"): string[] => {
  const keys: string[] = [];
  while (cursor[step]()) keys.push(text(cursor.key)!);
  return keys;
};

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => text(numberedKey(index))!);

describe("a cursor", () => {
  test("walks up and down over many pages", async () => {
    const db = await memoryDatabase();
    await fill(db, 5000);
    db.view((tx) => {
      const cursor = tx.bucket("b")!.cursor();
      expect(keysOf(cursor, "next")).toEqual(numbered(5000));
      expect(cursor.key).toBeUndefined();
      expect(keysOf(cursor, "prev")).toEqual(numbered(5000).toReversed());
      expect(cursor.prev()).toBe(false);
      expect(cursor.next()).toBe(true);
      expect(text(cursor.key)).toBe("key00000");
      expect(text(cursor.value)).toBe("v".repeat(20));
    });
  });

  test("seeks a key, or the next one", async () => {
    const db = await memoryDatabase();
    await fill(db, 5000);
    db.view((tx) => {
      const cursor = tx.bucket("b")!.cursor();
      for (let index = 0; index < 5000; index += 7) {
        expect(cursor.seek(numberedKey(index))).toBe(true);
        expect(cursor.key).toEqual(numberedKey(index));
        const found = cursor.seek(bytes(`${text(numberedKey(index))}+`));
        expect(found && text(cursor.key)).toBe(index === 4999 ? false : text(numberedKey(index + 1)));
      }
      expect(cursor.seek(bytes("z"))).toBe(false);
      expect(cursor.prev() && text(cursor.key)).toBe("key04999");
    });
  });

  test("of an empty bucket finds nothing", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const cursor = tx.createBucket("b").cursor();
      expect([cursor.first(), cursor.last(), cursor.next(), cursor.prev(), cursor.seek(bytes("k"))]).not.toContain(
        true,
      );
    });
    db.view((tx) => expect(tx.bucket("b")!.cursor().first()).toBe(false));
  });

  test("shows nested buckets without a value", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => tx.createBucket("b").createBucket("n"));
    db.view((tx) => {
      const cursor = tx.bucket("b")!.cursor();
      expect(cursor.first()).toBe(true);
      expect([text(cursor.key), cursor.value, cursor.isBucket]).toEqual(["n", undefined, true]);
    });
  });

  test.each(["next", "prev"] as const)("deletes on its way with %s", async (step) => {
    const db = await memoryDatabase();
    await fill(db, 3000);
    await db.update((tx) => {
      const cursor = tx.bucket("b")!.cursor();
      let seen = 0;
      while (cursor[step]()) {
        const key = cursor.key!;
        if (seen++ % 3 !== 0) cursor.delete();
        expect(cursor.key).toEqual(key);
      }
      expect(seen).toBe(3000);
    });
    expect(read(db)?.size).toBe(1000);
    await expectSound(db);
  });

  test("goes on from its key whatever else is changed", async () => {
    const db = await memoryDatabase();
    await fill(db, 1000);
    await db.update((tx) => {
      const bucket = tx.bucket("b")!;
      const cursor = bucket.cursor();
      cursor.seek(numberedKey(500));
      for (let index = 0; index < 1000; index++) if (index !== 501) bucket.delete(numberedKey(index));
      bucket.put(bytes("key00500b"), bytes("new"));
      expect(cursor.next() && text(cursor.key)).toBe("key00500b");
      expect(cursor.next() && text(cursor.key)).toBe("key00501");
      expect(cursor.next()).toBe(false);
    });
  });

  test("refuses to delete where it cannot", async () => {
    const db = await memoryDatabase();
    await db.update((tx) => {
      const bucket = tx.createBucket("b");
      expect(() => bucket.cursor().delete()).toThrow(/stands on no key/);
      bucket.createBucket("n");
      const cursor = bucket.cursor();
      cursor.first();
      expect(() => cursor.delete()).toThrow(expect.objectContaining({ code: "INCOMPATIBLE" }));
    });
    const cursor = db.view((tx) => tx.bucket("b")!.cursor());
    expect(() => cursor.next()).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});
