import { describe, expect, test } from "vitest";
import { type DB, EngineError, FaultStorage, MemoryStorage, openStorage } from "../../../src/bolt/engine/index.js";
import { bytes, expectSound, fill, memoryDatabase, numberedKey, read, seededRandom } from "./support.js";

/** A database with 300 keys on storage that fails when told to. */
async function faultyDatabase() {
  const storage = new FaultStorage();
  const db = await openStorage(storage);
  await fill(db, 300);
  return { storage, db };
}

const failure = async (work: Promise<unknown>): Promise<EngineError> => {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(EngineError);
  return thrown as EngineError;
};

describe("a commit", () => {
  test("syncs its pages before the meta page, and the meta page before it resolves", async () => {
    const { storage, db } = await faultyDatabase();
    const from = storage.operations.length;
    await fill(db, 10, 30);
    const kinds = storage.operations.slice(from).map((operation) => {
      if (operation.kind !== "write") return operation.kind;
      return operation.offset < 2 * db.pageSize ? "meta" : "pages";
    });
    expect(kinds.filter((kind, index) => kind !== kinds[index - 1])).toEqual(["pages", "sync", "meta", "sync"]);
    await db.close();
  });
});

describe("a commit of many MiB", () => {
  /** Pages of some 11 MiB, of which two parts of 4 MiB are synced before the rest is written. */
  const fillMany = (db: DB): Promise<void> => fill(db, 2_500, 4_000);

  test("syncs its first pages while it writes the rest, unless it is not to sync at all", async () => {
    for (const noSync of [false, true]) {
      const storage = new FaultStorage();
      const db = await openStorage(storage, { noSync });
      const from = storage.operations.length;
      await fillMany(db);
      const kinds = storage.operations.slice(from).map(({ kind }) => kind);
      const syncs = kinds.filter((kind) => kind === "sync").length;
      expect(syncs).toBe(noSync ? 0 : 4);
      if (!noSync) expect(kinds.indexOf("sync")).toBeLessThan(kinds.lastIndexOf("write") - 1);
      await db.close();
    }
  });

  test.each([1, 2, 3, 4])("changes nothing when sync %i of it fails", async (nth) => {
    const { storage, db } = await faultyDatabase();
    const before = read(db);
    storage.failSync(nth);
    expect(await failure(fillMany(db))).toMatchObject({ code: "IO", outcome: "not-applied" });
    expect(read(db)).toEqual(before);
    await expectSound(db);
    await fillMany(db);
    expect(read(db)?.size).toBe(2_500);
    await expectSound(db);
    await db.close();
  });
});

describe("a failed write or sync", () => {
  test.each(["EIO", "ENOSPC"] as const)(
    "of pages (%s) changes nothing and leaves the database usable",
    async (code) => {
      for (const fail of ["failWrite", "failSync"] as const) {
        const { storage, db } = await faultyDatabase();
        const before = read(db);
        storage[fail](1, code);
        const error = await failure(fill(db, 2000, 100));
        expect(error).toMatchObject({ code: "IO", outcome: "not-applied", cause: { code } });
        expect(read(db)).toEqual(before);
        await expectSound(db);
        await fill(db, 2000, 100);
        expect(read(db)?.size).toBe(2000);
        await expectSound(db);
        await db.close();
      }
    },
  );

  test("of the meta page is withdrawn: the transaction did not happen", async () => {
    const { storage, db } = await faultyDatabase();
    const before = read(db);
    storage.failSync(2);
    expect(await failure(fill(db, 500, 50))).toMatchObject({ outcome: "not-applied" });
    expect(read(db)).toEqual(before);
    const reopened = await memoryDatabase({}, new MemoryStorage(storage.content()));
    expect(read(reopened)).toEqual(before);
    await fill(db, 500, 50);
    expect(read(db)?.size).toBe(500);
    await expectSound(db);
    await db.close();
  });

  test("of the meta page and of its withdrawal is an unknown outcome, and closes the database", async () => {
    const { storage, db } = await faultyDatabase();
    const before = read(db);
    storage.failSync(2);
    storage.failSync(3);
    expect(await failure(fill(db, 500, 50))).toMatchObject({ code: "IO", outcome: "unknown" });
    expect(await failure(fill(db, 1))).toMatchObject({ code: "CLOSED" });
    const reopened = await memoryDatabase({}, new MemoryStorage(storage.content()));
    expect([300, 500]).toContain(read(reopened)?.size);
    expect(before?.size).toBe(300);
    await expectSound(reopened);
  });

  test("anywhere in a run of transactions never loses an acknowledged one", async () => {
    for (let nth = 1; nth <= 40; nth++) {
      const storage = new FaultStorage();
      const db = await openStorage(storage, { pageSize: 1024 });
      if (nth % 2 === 0) storage.failWrite(nth);
      else storage.failSync(Math.ceil(nth / 4));
      const acknowledged: number[] = [];
      for (let index = 0; index < 12; index++) {
        const writing = db.update((tx) =>
          tx.createBucketIfNotExists("b").put(numberedKey(index), bytes("v".repeat(500))),
        );
        await writing.then(
          () => acknowledged.push(index),
          (error: EngineError) => expect(error.outcome).toBe("not-applied"),
        );
      }
      expect(acknowledged.length).toBe(11);
      const reopened = await memoryDatabase({}, new MemoryStorage(storage.content()));
      expect([...read(reopened)!.keys()]).toEqual(
        acknowledged.map((index) => Buffer.from(numberedKey(index)).toString()),
      );
      await expectSound(reopened);
      await db.close();
    }
  });
});

describe("a power failure", () => {
  test("may lose a write that came while a sync was running", async () => {
    const storage = new FaultStorage();
    storage.write(0, [bytes("first ")]);
    const syncing = storage.sync();
    storage.write(6, [bytes("second")]);
    await syncing;
    const image = storage.crashImage(storage.operations.length, () => 0);
    expect(Buffer.from(image).toString()).toBe("first ");
  });

  test("at any moment leaves the last acknowledged state, or the one in flight", async () => {
    const random = seededRandom(11);
    const storage = new FaultStorage();
    const db = await openStorage(storage, { pageSize: 1024 });
    /** For each transaction: how many operations were done when it was acknowledged. */
    const acknowledgedAt: number[] = [];
    for (let round = 0; round < 12; round++) {
      await db.update((tx) => {
        const bucket = tx.createBucketIfNotExists("b");
        bucket.put(bytes("round"), bytes(String(round)));
        for (let count = 0; count < 30; count++)
          bucket.put(numberedKey(Math.floor(random() * 200)), bytes("v".repeat(60)));
        for (let count = 0; count < 20; count++) bucket.delete(numberedKey(Math.floor(random() * 200)));
      });
      acknowledgedAt.push(storage.operations.length);
    }
    await db.close();
    for (let count = acknowledgedAt[0]!; count <= storage.operations.length; count++) {
      const image = storage.crashImage(count, random);
      const crashed = await openStorage(new MemoryStorage(image));
      await expectSound(crashed);
      const acknowledged = acknowledgedAt.filter((at) => at <= count).length - 1;
      const round = Number(read(crashed)?.get("round"));
      expect([acknowledged, acknowledged + 1]).toContain(round);
      await crashed.close();
    }
  });
});
