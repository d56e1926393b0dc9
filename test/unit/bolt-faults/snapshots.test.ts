import { expect, it } from "vitest";
import { openStorage, type Tx } from "../../../src/bolt/engine/index.js";
import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import { applyToEngine, checkEngine, dumpEngine, dumpTx } from "../../interop/support/engine.js";
import { randomHistory } from "../../interop/support/history.js";
import { Model } from "../../interop/support/model.js";
import { Random, testSeed } from "../../interop/support/random.js";

const first = testSeed();

it.each([first, first + 1, first + 2])("readers keep seeing the state they began with, seed %i", async (seed) => {
  const random = new Random(seed);
  // Nearly no cache: pages are read from the storage, where a page used again too early would show.
  const db = await openStorage(new MemoryStorage(), { pageSize: 1024, cacheBytes: 8192 });
  const shape = { transactions: 120, operations: 25, keys: 200, valueBytes: 80, largeBytes: 8000, rollbacks: 0.1 };
  const model = new Model();
  const readers: { tx: Tx; state: string }[] = [];
  let looked = 0;
  for (const transaction of randomHistory(random, shape)) {
    if (random.chance(0.3)) readers.push({ tx: db.begin(), state: model.dump() });
    await applyToEngine(db, transaction);
    model.apply(transaction);
    for (const { tx, state } of readers) {
      expect(dumpTx(tx) === state).toBe(true);
      looked++;
    }
    // From the first on there is always one, or a history could have next to none.
    if (readers.length > 1 && random.chance(0.3)) {
      const [ended] = readers.splice(random.below(readers.length), 1);
      ended!.tx.rollback();
    }
  }
  expect(looked).toBeGreaterThan(100);
  for (const { tx } of readers) tx.rollback();
  expect(await checkEngine(db)).toEqual([]);
  expect(dumpEngine(db)).toBe(model.dump());

  // With all readers gone, what they held is used again: the file stops growing.
  const pages = (): number => db.stats().pages;
  const put = (value: string) => ({ ops: [{ op: "put" as const, bucket: ["62"], key: "6b", value, size: 4000 }] });
  for (const value of ["aa", "bb"]) await applyToEngine(db, put(value));
  const before = pages();
  for (let turn = 0; turn < 50; turn++) await applyToEngine(db, put("cc"));
  expect(pages()).toBe(before);
  await db.close();
});
