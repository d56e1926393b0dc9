import { open as openFile, stat } from "node:fs/promises";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { describe, expect, it } from "vitest";
import { open } from "../../src/bolt/engine/index.js";
import { applyToEngine, checkEngine, dumpEngine } from "./support/engine.js";
import { temporaryFolder } from "./support/folder.js";
import { goApply, goCheck, goDump } from "./support/go.js";
import { hex, randomHistory, separateBucketDeletes } from "./support/history.js";
import { Model, type Transaction } from "./support/model.js";
import { Random, testSeed } from "./support/random.js";

const file = temporaryFolder();
const seed = testSeed();
const shape = { transactions: 40, operations: 100, keys: 400, valueBytes: 90, largeBytes: 60_000 };

describe("copies of a file pass Go's check", () => {
  it(`a hot backup holds the snapshot it was begun at, while writes go on, seed ${seed}`, async () => {
    const random = new Random(seed);
    const db = await open(file("source.db"), { pageSize: 1024 });
    for (const transaction of randomHistory(random, shape)) await applyToEngine(db, transaction);
    // Larger than what a backup reads ahead, and freed as soon as the snapshot is taken.
    const filler = (size: number): Transaction => ({
      ops: ["k-1", "k-2", "k-3", "k-4"].map((key) => ({ op: "put", bucket: ["62"], key: hex(key), value: "ab", size })),
    });
    await applyToEngine(db, filler(2_000_000));
    const before = dumpEngine(db);
    const reader = db.begin();
    const more = [...randomHistory(random, shape), filler(2_000_000), filler(1_900_000), filler(10)];
    const target = await openFile(file("backup.db"), "w");
    // A slow target: a transaction is committed between any two of its writes.
    const stream = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        const next = more.pop();
        const written = next === undefined ? Promise.resolve() : applyToEngine(db, next);
        written.then(() => target.writeFile(chunk)).then(() => done(), done);
      },
    });
    const length = await reader.writeTo(stream);
    await finished(stream.end());
    await target.close();
    reader.rollback();
    expect(more.length).toBeLessThan(shape.transactions);
    for (const transaction of more) await applyToEngine(db, transaction);
    expect(dumpEngine(db)).not.toBe(before);
    await db.close();
    expect((await stat(file("backup.db"))).size).toBe(length);
    expect(await goCheck(file("backup.db"))).toMatchObject({ errors: [], ok: true, pageSize: 1024 });
    expect(await goDump(file("backup.db"))).toBe(before);
  });

  it.each([
    { from: "Go", seed: seed + 1 },
    { from: "Kvasir", seed: seed + 2 },
  ])("a compacted copy of a file from $from holds the same in less space, seed $seed", async ({ from, seed }) => {
    const source = file(`compact-from-${from}.db`);
    const target = file(`compact-to-${from}.db`);
    // 32 transactions end with a phase of deletes, so that there is something to gain.
    const history = separateBucketDeletes(randomHistory(new Random(seed), { ...shape, transactions: 32 }));
    const model = new Model();
    for (const transaction of history) model.apply(transaction);
    if (from === "Go") await goApply(source, history, ["-page-size=1024", "-no-sync"]);
    const db = await open(source, { pageSize: 1024 });
    if (from === "Kvasir") for (const transaction of history) await applyToEngine(db, transaction);
    await db.compact(target);
    const { pages } = db.stats();
    await db.close();
    expect(await goCheck(target)).toMatchObject({ errors: [], ok: true });
    expect(await goDump(target)).toBe(model.dump());
    const copy = await open(target);
    expect(copy.stats().pages).toBeLessThan(pages);
    expect(await checkEngine(copy)).toEqual([]);
    expect(dumpEngine(copy)).toBe(model.dump());
    await copy.close();
  });
});
