import { describe, expect, it } from "vitest";
import { open } from "../../src/bolt/engine/index.js";
import { applyToEngine, checkEngine, dumpEngine } from "./support/engine.js";
import { temporaryFolder } from "./support/folder.js";
import { goApply, goCheck, goDump } from "./support/go.js";
import { randomHistory, separateBucketDeletes } from "./support/history.js";
import { Model } from "./support/model.js";
import { Random, testSeed } from "./support/random.js";

const file = temporaryFolder();
const first = testSeed();

const shape = { transactions: 48, operations: 120, keys: 500, valueBytes: 90, largeBytes: 60_000, rollbacks: 0.1 };

/** Each case has another page size and another way to keep the freelist. */
const cases = [
  { pageSize: 1024, noFreelistSync: false, freelist: "array" },
  { pageSize: 1024, noFreelistSync: true, freelist: "hashmap" },
  { pageSize: 2048, noFreelistSync: false, freelist: "hashmap" },
  { pageSize: 4096, noFreelistSync: false, freelist: "array" },
  { pageSize: 4096, noFreelistSync: true, freelist: "array" },
  { pageSize: 8192, noFreelistSync: false, freelist: "hashmap" },
  { pageSize: 16_384, noFreelistSync: false, freelist: "array" },
  { pageSize: 32_768, noFreelistSync: true, freelist: "array" },
  { pageSize: 65_536, noFreelistSync: false, freelist: "hashmap" },
].map((settings, index) => ({ ...settings, seed: first + index }));

function goOptions(settings: (typeof cases)[number]): string[] {
  return [
    `-page-size=${settings.pageSize}`,
    `-freelist=${settings.freelist}`,
    `-no-freelist-sync=${settings.noFreelistSync}`,
    "-no-sync",
  ];
}

const title = "pages of $pageSize bytes, freelist unsynced $noFreelistSync, seed $seed";

describe("a file that Kvasir wrote passes Go's check and reads back equal", () => {
  it.each(cases)(title, async (settings) => {
    const { pageSize, noFreelistSync, seed } = settings;
    const path = file(`ours-${seed}.db`);
    const history = randomHistory(new Random(seed), shape);
    const model = new Model();
    const db = await open(path, { pageSize, noFreelistSync });
    for (const transaction of history) {
      await applyToEngine(db, transaction);
      model.apply(transaction);
    }
    expect(dumpEngine(db)).toBe(model.dump());
    expect(await checkEngine(db)).toEqual([]);
    await db.close();
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true, pageSize });
    expect(await goDump(path)).toBe(model.dump());
  });
});

describe("a file that Go wrote passes our check and reads back equal", () => {
  it.each(cases)(title, async (settings) => {
    const { pageSize, seed } = settings;
    const path = file(`go-${seed}.db`);
    const history = separateBucketDeletes(randomHistory(new Random(seed), shape));
    const model = new Model();
    for (const transaction of history) model.apply(transaction);
    await goApply(path, history, goOptions(settings));
    const db = await open(path, { readOnly: true });
    expect(db.pageSize).toBe(pageSize);
    expect(await checkEngine(db)).toEqual([]);
    expect(dumpEngine(db)).toBe(model.dump());
    await db.close();
  });

  it(`finds the pages that Go lost, as Go's own check does, seed ${first}`, async () => {
    // bbolt 1.3.6 loses pages when a bucket is changed and deleted in one transaction.
    const path = file("lost.db");
    await goApply(path, randomHistory(new Random(first), shape), ["-page-size=1024", "-no-sync"]);
    const { errors } = await goCheck(path);
    const db = await open(path, { readOnly: true });
    const ours = (await db.check()).map(({ pageId }) => pageId);
    const theirs = errors.map((problem) => Number(/page (\d+): unreachable unfreed/.exec(problem)?.[1]));
    await db.close();
    expect(theirs.length).toBeGreaterThan(0);
    expect(ours).toEqual(theirs);
  });
});

describe("Kvasir and Go write the same file in turn", () => {
  it.each(cases)(title, async (settings) => {
    const { pageSize, noFreelistSync, seed } = settings;
    const path = file(`both-${seed}.db`);
    const history = separateBucketDeletes(randomHistory(new Random(seed), shape));
    const model = new Model();
    const turn = Math.ceil(history.length / 6);
    for (let from = 0; from < history.length; from += turn) {
      const part = history.slice(from, from + turn);
      for (const transaction of part) model.apply(transaction);
      if ((from / turn + seed) % 2 === 0) {
        await goApply(path, part, goOptions(settings));
      } else {
        // Each turn keeps the freelist the other way: a reader takes both.
        const db = await open(path, { pageSize, noFreelistSync: !noFreelistSync });
        for (const transaction of part) await applyToEngine(db, transaction);
        expect(await checkEngine(db)).toEqual([]);
        expect(dumpEngine(db)).toBe(model.dump());
        await db.close();
      }
      expect(await goCheck(path)).toMatchObject({ errors: [], ok: true, pageSize });
      expect(await goDump(path)).toBe(model.dump());
    }
  });
});
