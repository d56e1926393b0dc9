import { describe, expect, it } from "vitest";
import { type DB, open } from "../../src/bolt/engine/index.js";
import { applyToEngine, dumpEngine } from "./support/engine.js";
import { temporaryFolder } from "./support/folder.js";
import { goApply, goCheck, goDump, OracleProcess, runOracle } from "./support/go.js";
import { hex } from "./support/history.js";
import type { Transaction } from "./support/model.js";

const file = temporaryFolder();
const exitTimeout = 3;
const put: Transaction = { ops: [{ op: "put", bucket: [hex("b")], key: hex("k"), value: hex("v") }] };

/** A Go process that has the file's lock. */
async function holdInGo(path: string, ...options: string[]): Promise<OracleProcess> {
  const holder = await OracleProcess.start(["hold", ...options, path]);
  expect(await holder.line()).toBe("locked");
  return holder;
}

describe("the lock of a file between Kvasir and Go", () => {
  it("keeps Kvasir out while Go has it, with FILE_LOCKED after the timeout, naming the file", async () => {
    const path = file("go-holds.db");
    const holder = await holdInGo(path);
    const start = performance.now();
    const opening = open(path, { timeoutMs: 300 });
    await expect(opening).rejects.toMatchObject({ code: "FILE_LOCKED", message: expect.stringContaining(path) });
    const waitedMs = performance.now() - start;
    expect(waitedMs).toBeGreaterThan(250);
    expect(waitedMs).toBeLessThan(3000);
    await holder.end();
    const db = await open(path, { timeoutMs: 300 });
    await applyToEngine(db, put);
    await db.close();
    expect(await goCheck(path)).toMatchObject({ ok: true, keys: 1 });
  });

  it("lets a waiting Kvasir in as soon as Go lets go", async () => {
    const path = file("go-releases.db");
    const holder = await holdInGo(path);
    let opened = false;
    const opening = open(path, { timeoutMs: 20_000 }).then((db) => {
      opened = true;
      return db;
    });
    await expect(open(path, { timeoutMs: 100 })).rejects.toMatchObject({ code: "FILE_LOCKED" });
    expect(opened).toBe(false);
    await holder.end();
    const start = performance.now();
    const db = await opening;
    expect(performance.now() - start).toBeLessThan(2000);
    await db.close();
  });

  it("keeps Go out while Kvasir has it, and lets it in after close()", async () => {
    const path = file("ours-holds.db");
    const db = await open(path, {});
    await applyToEngine(db, put);
    expect(await runOracle(["hold", "-timeout=300ms", path])).toMatchObject({ code: exitTimeout });
    expect(await runOracle(["hold", "-read-only", "-timeout=300ms", path])).toMatchObject({ code: exitTimeout });
    const waiting = await OracleProcess.start(["hold", path]);
    const locked = waiting.line();
    await applyToEngine(db, put);
    await db.close();
    expect(await locked).toBe("locked");
    expect(await waiting.end()).toBe(0);
  });

  it("is shared among readers of both, and keeps writers of both out", async () => {
    const path = file("readers.db");
    await goApply(path, [put]);
    const reader = await open(path, { readOnly: true, timeoutMs: 1000 });
    expect(await goDump(path)).toBe(dumpEngine(reader));
    expect(await runOracle(["hold", "-timeout=300ms", path])).toMatchObject({ code: exitTimeout });
    const holder = await holdInGo(path, "-read-only");
    await reader.close();
    const second = await open(path, { readOnly: true, timeoutMs: 1000 });
    await second.close();
    await expect(open(path, { timeoutMs: 200 })).rejects.toMatchObject({ code: "FILE_LOCKED" });
    await holder.end();
  });

  it("goes free when a Go process that has it is killed", async () => {
    const path = file("killed.db");
    const holder = await holdInGo(path);
    const opening = open(path, { timeoutMs: 20_000 });
    await holder.kill();
    await (await opening).close();
  });

  it("is taken and released around each use with lock: manual", async () => {
    const path = file("manual.db");
    await goApply(path, [put]);
    const db: DB = await open(path, { lock: "manual" });
    for (let turn = 0; turn < 3; turn++) {
      await db.acquire("exclusive", { timeoutMs: 5000 });
      expect(await goIsKeptOut(path)).toBe(true);
      const value = hex(`turn ${turn}`);
      await applyToEngine(db, { ops: [{ op: "put", bucket: [hex("b")], key: hex(`ours-${turn}`), value }] });
      db.release();
      // What Go writes meanwhile is seen at the next acquire.
      await goApply(path, [{ ops: [{ op: "put", bucket: [hex("b")], key: hex(`go-${turn}`), value }] }]);
      await db.acquire("shared", { timeoutMs: 5000 });
      expect(dumpEngine(db)).toBe(await goDump(path));
      db.release();
    }
    const holder = await holdInGo(path);
    await expect(db.acquire("exclusive", { timeoutMs: 200 })).rejects.toMatchObject({ code: "FILE_LOCKED" });
    await holder.end();
    await db.close();
    expect(await goCheck(path)).toMatchObject({ errors: [], ok: true, keys: 7 });
  });
});

async function goIsKeptOut(path: string): Promise<boolean> {
  return (await runOracle(["hold", "-timeout=100ms", path])).code === exitTimeout;
}
