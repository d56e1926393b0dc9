import { describe, expect, test } from "vitest";
import { bytes, contentOf, expectSound, fill, memoryDatabase, numberedKey, read, text } from "./support.js";

describe("a reader", () => {
  test("sees its snapshot while others write, however long", async () => {
    const db = await memoryDatabase({ cacheBytes: 8192 });
    await fill(db, 1000, 40);
    const reader = db.begin();
    for (let round = 0; round < 50; round++) {
      await db.update((tx) => {
        for (let index = 0; index < 1000; index += 5) tx.bucket("b")!.put(numberedKey(index), bytes(`round ${round}`));
        tx.bucket("b")!.delete(numberedKey(round));
      });
    }
    const content = contentOf(reader.bucket("b")!);
    expect(content.size).toBe(1000);
    expect(new Set(content.values())).toEqual(new Set(["v".repeat(40)]));
    reader.rollback();
    expect(() => reader.bucket("b")).toThrow(expect.objectContaining({ code: "CLOSED" }));
    // Every fifth of the deleted keys was put again.
    expect(read(db)?.size).toBe(960);
    await expectSound(db);
  });

  test("keeps only what it can see: pages made and freed behind it are used again", async () => {
    const db = await memoryDatabase();
    await fill(db, 2000);
    const reader = db.begin();
    for (let round = 0; round < 5; round++) await fill(db, 2000);
    const { pages } = db.stats();
    for (let round = 0; round < 30; round++) await fill(db, 2000);
    expect(db.stats().pages).toBeLessThanOrEqual(pages + 2);
    expect(contentOf(reader.bucket("b")!).size).toBe(2000);
    reader.rollback();
    await fill(db, 1);
    expect(db.stats().openReaders).toBe(0);
    await expectSound(db);
  });

  test("of view() must not be asynchronous, nor be used afterwards", async () => {
    const db = await memoryDatabase();
    await fill(db, 1);
    expect(() => db.view(async () => {})).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    const bucket = db.view((tx) => tx.bucket("b")!);
    expect(() => bucket.get(numberedKey(0))).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  test("cannot write", async () => {
    const db = await memoryDatabase();
    await fill(db, 1);
    const readOnly = expect.objectContaining({ code: "READ_ONLY" });
    db.view((tx) => {
      expect(() => tx.createBucket("c")).toThrow(readOnly);
      expect(() => tx.deleteBucket("b")).toThrow(readOnly);
      expect(() => tx.bucket("b")!.put(bytes("k"), bytes("v"))).toThrow(readOnly);
      expect(() => tx.bucket("b")!.delete(numberedKey(0))).toThrow(readOnly);
      expect(() => tx.bucket("b")!.nextSequence()).toThrow(readOnly);
    });
  });
});

describe("a writer", () => {
  test("is alone, in order of asking, and sees those before it", async () => {
    const db = await memoryDatabase();
    const steps: string[] = [];
    const write = (name: string) =>
      db.update(async (tx) => {
        steps.push(`${name} starts`);
        await Promise.resolve();
        const bucket = tx.createBucketIfNotExists("b");
        bucket.put(bytes("last"), bytes(`${text(bucket.get(bytes("last"))) ?? ""}${name}`));
        steps.push(`${name} ends`);
      });
    await Promise.all([write("a"), write("b"), write("c")]);
    expect(steps).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
    expect(read(db)).toEqual(new Map([["last", "abc"]]));
  });

  test("that throws changes nothing, and its error comes through", async () => {
    const db = await memoryDatabase();
    await fill(db, 1000);
    const before = read(db);
    const error = new Error("mine");
    const failing = db.update((tx) => {
      tx.deleteBucket("b");
      tx.createBucket("c");
      throw error;
    });
    await expect(failing).rejects.toBe(error);
    expect(read(db)).toEqual(before);
    expect(read(db, "c")).toBeUndefined();
    await fill(db, 1001);
    await expectSound(db);
  });

  test("calls onCommit when its changes are durable, and not when it fails", async () => {
    const db = await memoryDatabase();
    const called: string[] = [];
    await db.update((tx) => {
      tx.createBucket("b");
      tx.onCommit(() => called.push("committed"));
    });
    const failing = db.update((tx) => {
      tx.onCommit(() => called.push("failed"));
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(called).toEqual(["committed"]);
  });

  test("stays durable when what onCommit calls throws, and its pages are not given to the next", async () => {
    const db = await memoryDatabase();
    await fill(db, 500);
    const failing = db.update((tx) => {
      tx.bucket("b")!.put(bytes("one more"), bytes("v"));
      tx.onCommit(() => {
        throw new Error("from the handler");
      });
    });
    await expect(failing).rejects.toThrow("from the handler");
    expect(read(db)?.size).toBe(501);
    await fill(db, 700);
    expect(read(db)?.size).toBe(701);
    await expectSound(db);
  });

  test("without a change commits nothing", async () => {
    const db = await memoryDatabase();
    await fill(db, 1);
    const { commits, txid } = db.stats();
    await db.update((tx) => tx.bucket("b")!.delete(bytes("absent")));
    expect(db.stats()).toMatchObject({ commits, txid });
  });

  test("cannot be used once its function is over", async () => {
    const db = await memoryDatabase();
    const bucket = await db.update((tx) => tx.createBucket("b"));
    expect(() => bucket.put(bytes("k"), bytes("v"))).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });
});

describe("batch()", () => {
  test("puts concurrent calls into few transactions", async () => {
    const db = await memoryDatabase();
    await fill(db, 1);
    const { commits } = db.stats();
    await Promise.all(
      Array.from({ length: 500 }, (_, index) => db.batch((tx) => tx.bucket("b")!.put(numberedKey(index), bytes("x")))),
    );
    expect(db.stats().commits - commits).toBeLessThan(5);
    expect(read(db)?.size).toBe(500);
  });

  test("takes out the call that throws, before or after a change, and keeps the others", async () => {
    const db = await memoryDatabase();
    await fill(db, 1);
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        db.batch((tx) => {
          const bucket = tx.bucket("b")!;
          if (index === 3) throw new Error("before");
          bucket.put(bytes(`batch ${index}`), bytes("x"));
          if (index === 7) throw new Error("after");
          return index;
        }),
      ),
    );
    const failed = results.flatMap((result, index) =>
      result.status === "rejected" ? [[index, result.reason.message]] : [],
    );
    expect(failed).toEqual([
      [3, "before"],
      [7, "after"],
    ]);
    const keys = [...read(db)!.keys()].filter((key) => key.startsWith("batch"));
    expect(keys.length).toBe(18);
    expect(keys).not.toContain("batch 7");
  });
});

describe("closing", () => {
  test("waits for the running commit, then every call says so", async () => {
    const db = await memoryDatabase();
    const writing = fill(db, 100);
    await db.close();
    await writing;
    const closed = expect.objectContaining({ code: "CLOSED" });
    expect(() => db.view(() => 1)).toThrow(closed);
    expect(() => db.begin()).toThrow(closed);
    await expect(db.update(() => 1)).rejects.toThrow(closed);
    await expect(db.batch(() => 1)).rejects.toThrow(closed);
    await expect(db.check()).rejects.toThrow(closed);
    await db.close();
  });
});
