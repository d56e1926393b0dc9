import { describe, expect, it } from "vitest";
import { type DB, EngineError, openStorage } from "../../../src/bolt/engine/index.js";
import { FaultStorage } from "../../../src/bolt/engine/fault-storage.js";
import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import { checkEngine, dumpEngine, runOperations } from "../../interop/support/engine.js";
import { hex, randomHistory } from "../../interop/support/history.js";
import { Model, type Transaction } from "../../interop/support/model.js";
import { Random, testSeed } from "../../interop/support/random.js";

const seed = testSeed();
const options = { pageSize: 1024 };
const shape = { transactions: 30, operations: 15, keys: 120, valueBytes: 80, largeBytes: 20_000 };
const history = randomHistory(new Random(seed), shape);

/** States that the file may be in: more than one after a failure of unknown outcome. */
interface Progress {
  possible: string[];
  failures: EngineError[];
}

/**
 * Runs the history; each failed commit must say its outcome. Stops early when the database has closed itself, or at the
 * first failure when told to.
 */
async function run(db: DB, stopAtFailure: boolean): Promise<Progress> {
  const progress: Progress = { possible: [dumpEngine(db)], failures: [] };
  for (const transaction of history) {
    const applied = progress.possible.map((state) => after(state, transaction));
    try {
      await db.update((tx) => runOperations(tx, transaction.ops));
      progress.possible = applied;
    } catch (error) {
      expect(error).toBeInstanceOf(EngineError);
      const failure = error as EngineError;
      if (failure.code === "CLOSED") break;
      expect(failure.code).toBe("IO");
      expect(["not-applied", "unknown"]).toContain(failure.outcome);
      if (failure.outcome === "unknown") progress.possible.push(...applied);
      progress.failures.push(failure);
      if (stopAtFailure) break;
    }
  }
  return progress;
}

function after(state: string, transaction: Transaction): string {
  const model = Model.fromDump(state);
  model.apply(transaction);
  return model.dump();
}

/** What the file's bytes say when opened anew; it must be sound and writable. */
async function reopen(bytes: Uint8Array): Promise<string> {
  const db = await openStorage(new MemoryStorage(bytes), options);
  expect(await checkEngine(db)).toEqual([]);
  const state = dumpEngine(db);
  await db.update((tx) => tx.createBucketIfNotExists("b-after").put(Buffer.from("k"), Buffer.from("v")));
  expect(await checkEngine(db)).toEqual([]);
  await db.close();
  return state;
}

const kinds = [
  { call: "write", code: "EIO" },
  { call: "write", code: "ENOSPC" },
  { call: "sync", code: "EIO" },
] as const;

describe.each(kinds)("$code on any $call", ({ call, code }) => {
  const fail = (storage: FaultStorage, nth: number): void =>
    call === "write" ? storage.failWrite(nth, code) : storage.failSync(nth, code);

  /** Opens a new database and makes one call to its storage fail, counted from then on; 0 for none. */
  async function runWithFault(nth: number): Promise<{ storage: FaultStorage; progress: Progress; calls: number }> {
    const storage = new FaultStorage();
    const db = await openStorage(storage, options);
    const before = call === "write" ? storage.writes : storage.syncs;
    if (nth > 0) fail(storage, nth);
    // Every other time the moment right after the failure is looked at, otherwise how it went on.
    const progress = await run(db, nth % 2 === 0 && nth > 0);
    const calls = (call === "write" ? storage.writes : storage.syncs) - before;
    await db.close();
    return { storage, progress, calls };
  }

  it(`fails one call with its outcome and leaves the file sound, seed ${seed}`, async () => {
    const random = new Random(seed);
    const { calls } = await runWithFault(0);
    expect(calls).toBeGreaterThan(history.length / 2);
    for (let nth = 1; nth <= calls; nth++) {
      const { storage, progress } = await runWithFault(nth);
      expect(progress.failures.length, `${call} ${nth}`).toBe(1);
      expect(progress.failures[0]!.cause, `${call} ${nth}`).toMatchObject({ code });
      expect(progress.possible, `${call} ${nth}`).toContain(await reopen(storage.content()));
      // Also when the power fails right after.
      for (let crash = 0; crash < 3; crash++) {
        const image = storage.crashImage(storage.operations.length, () => random.next());
        expect(progress.possible, `${call} ${nth}, then a power failure`).toContain(await reopen(image));
      }
    }
  });

  it(`that fails for good rejects every later call, and reads go on or say CLOSED, seed ${seed}`, async () => {
    const storage = new FaultStorage();
    const db = await openStorage(storage, options);
    for (const transaction of history.slice(0, 5)) await db.update((tx) => runOperations(tx, transaction.ops));
    const state = dumpEngine(db);
    for (let nth = 1; nth <= 200; nth++) fail(storage, nth);
    const put: Transaction = { ops: [{ op: "put", bucket: [hex("b")], key: hex("k"), value: hex("v") }] };
    for (let turn = 0; turn < 3; turn++) {
      await expect(db.update((tx) => runOperations(tx, put.ops))).rejects.toBeInstanceOf(EngineError);
    }
    try {
      expect([state, after(state, put)]).toContain(dumpEngine(db));
    } catch (error) {
      expect(error).toMatchObject({ code: "CLOSED" });
    }
    storage.clearFaults();
    await db.close();
    expect([state, after(state, put)]).toContain(await reopen(storage.content()));
  });
});
