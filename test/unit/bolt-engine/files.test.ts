import { createWriteStream, existsSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { type DB, open, type OpenOptions } from "../../../src/bolt/engine/index.js";
import { bytes, expectSound, fill, numberedKey, read, temporaryFolder } from "./support.js";

/** A database file, closed after the test. */
async function openFile(path: string, options?: OpenOptions): Promise<DB> {
  const db = await open(path, options);
  onTestFinished(() => db.close());
  return db;
}

describe("a file", () => {
  test("keeps what was written", async () => {
    const path = join(temporaryFolder(), "app.db");
    const db = await open(path);
    await fill(db, 3000);
    await db.close();
    const again = await openFile(path);
    expect(read(again)?.size).toBe(3000);
    await expectSound(again);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("is only created when that is wanted", async () => {
    const path = join(temporaryFolder(), "absent.db");
    await expect(open(path, { create: false })).rejects.toThrow(expect.objectContaining({ code: "NOT_FOUND", path }));
    await expect(open(path, { readOnly: true })).rejects.toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    expect(existsSync(path)).toBe(false);
  });

  test("opened read-only refuses writes", async () => {
    const path = join(temporaryFolder(), "app.db");
    const writer = await open(path);
    await fill(writer, 10);
    await writer.close();
    const db = await openFile(path, { readOnly: true });
    expect(db.readOnly).toBe(true);
    expect(read(db)?.size).toBe(10);
    await expect(db.update(() => 1)).rejects.toThrow(expect.objectContaining({ code: "READ_ONLY" }));
  });

  test("is made as large as asked for", async () => {
    const path = join(temporaryFolder(), "app.db");
    const db = await openFile(path, { initialSize: 1 << 20 });
    await fill(db, 1);
    expect(statSync(path).size).toBe(1 << 20);
    await expectSound(db);
  });
});

describe("the lock", () => {
  test("keeps a second writer out until the first closes", async () => {
    const path = join(temporaryFolder(), "app.db");
    const first = await openFile(path);
    const locked = expect.objectContaining({ code: "FILE_LOCKED", path });
    await expect(open(path, { timeoutMs: 30 })).rejects.toThrow(locked);
    await expect(open(path, { timeoutMs: 0, readOnly: true })).rejects.toThrow(locked);
    const second = open(path, { timeoutMs: 10_000 });
    await first.close();
    await (await second).close();
  });

  test("lets readers in together", async () => {
    const path = join(temporaryFolder(), "app.db");
    await (await open(path)).close();
    await openFile(path, { readOnly: true, timeoutMs: 0 });
    await openFile(path, { readOnly: true, timeoutMs: 0 });
    await expect(open(path, { timeoutMs: 0 })).rejects.toThrow(expect.objectContaining({ code: "FILE_LOCKED" }));
  });

  test("tells its free pages without a write", async () => {
    const path = join(temporaryFolder(), "app.db");
    const db = await open(path);
    await fill(db, 3000);
    await fill(db, 3000, 30);
    await db.update((tx) => tx.bucket("b")!.put(bytes("k"), bytes("v")));
    const { freePages, pendingPages } = db.stats();
    await db.close();
    const reader = await openFile(path, { readOnly: true });
    expect(freePages).toBeGreaterThan(10);
    // What waited for readers is free for whoever opens the file next.
    expect(reader.stats()).toMatchObject({ freePages: freePages! + pendingPages!, pendingPages: undefined });
  });

  test("taken by hand lets two handles use one file in turn", async () => {
    const path = join(temporaryFolder(), "app.db");
    const [first, second] = [await openFile(path, { lock: "manual" }), await openFile(path, { lock: "manual" })];
    const notLocked = expect.objectContaining({ code: "NOT_LOCKED" });
    expect(() => first.view(() => 1)).toThrow(notLocked);
    for (let round = 0; round < 10; round++) {
      const db = round % 2 === 0 ? first : second;
      expect(await db.acquire("exclusive")).toEqual({ changed: round > 0 });
      await expect((db === first ? second : first).acquire("shared", { timeoutMs: 0 })).rejects.toThrow(
        expect.objectContaining({ code: "FILE_LOCKED" }),
      );
      await fill(db, 100 * (round + 1));
      expect(read(db)?.size).toBe(100 * (round + 1));
      db.release();
    }
    expect(await first.acquire("shared")).toEqual({ changed: true });
    expect(await second.acquire("shared")).toEqual({ changed: false });
    await expect(first.update(() => 1)).rejects.toThrow(notLocked);
    await expectSound(first);
  });

  test("waits no longer when it is aborted", async () => {
    const path = join(temporaryFolder(), "app.db");
    const [first, second] = [await openFile(path, { lock: "manual" }), await openFile(path, { lock: "manual" })];
    await first.acquire("exclusive");
    const controller = new AbortController();
    const waiting = second.acquire("shared", { timeoutMs: 60_000, signal: controller.signal });
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });

  test("notices that another file took the place of the old one", async () => {
    const folder = temporaryFolder();
    const [path, other] = [join(folder, "app.db"), join(folder, "other.db")];
    const db = await openFile(path, { lock: "manual" });
    await db.acquire("exclusive");
    await fill(db, 500);
    await db.compact(other);
    db.release();
    const compacted = await open(other);
    await compacted.update((tx) => tx.bucket("b")!.delete(numberedKey(0)));
    await compacted.close();
    renameSync(other, path);
    expect(await db.acquire("exclusive")).toEqual({ changed: true });
    expect(read(db)?.size).toBe(499);
    await fill(db, 500);
    await expectSound(db);
  });
});

describe("a copy", () => {
  test("by compact() holds everything in less room", async () => {
    const folder = temporaryFolder();
    const db = await openFile(join(folder, "app.db"));
    await fill(db, 5000);
    await db.update((tx) => {
      const bucket = tx.bucket("b")!;
      for (let index = 0; index < 4000; index++) bucket.delete(numberedKey(index));
      bucket.createBucket("nested").put(bytes("k"), bytes("v"));
      bucket.setSequence(9n);
    });
    const target = join(folder, "compact.db");
    expect(await db.compact(target, { transactionBytes: 1000 })).toEqual({ keys: 1001, buckets: 2 });
    const copy = await openFile(target);
    expect(read(copy)).toEqual(read(db));
    expect(copy.view((tx) => tx.bucket("b")!.sequence)).toBe(9n);
    expect(copy.stats().pages).toBeLessThan(db.stats().pages / 3);
    expect(statSync(target).size).toBe(copy.stats().pages * copy.pageSize);
    await expectSound(copy);
    await expect(db.compact(target)).rejects.toThrow(/exists already/);
  });

  test("by writeTo() is the snapshot, whatever is written meanwhile", async () => {
    const folder = temporaryFolder();
    const db = await openFile(join(folder, "app.db"));
    await fill(db, 20_000, 100);
    const expected = read(db);
    const reader = db.begin();
    const target = join(folder, "backup.db");
    const stream = createWriteStream(target);
    const writing = (async () => {
      for (let round = 0; round < 10; round++) await fill(db, 3000, 50 + round);
    })();
    expect(await reader.writeTo(stream)).toBe(reader.size);
    stream.end();
    await finished(stream);
    await writing;
    expect(statSync(target).size).toBe(reader.size);
    reader.rollback();
    const copy = await openFile(target);
    expect(read(copy)).toEqual(expected);
    await expectSound(copy);
    await fill(copy, 10);
    await expectSound(copy);
  });
});
