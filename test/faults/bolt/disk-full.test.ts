import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type DB, EngineError, open, openStorage } from "../../../src/bolt/engine/index.js";
import { FaultStorage } from "../../../src/bolt/engine/fault-storage.js";
import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import { checkEngine, dumpEngine, runOperations } from "../../interop/support/engine.js";
import { temporaryFolder } from "../../interop/support/folder.js";
import { hex } from "../../interop/support/history.js";
import { Model, type Transaction } from "../../interop/support/model.js";

/** A disk that fills up: a database on it, and the same opened again. */
interface SmallDisk {
  what: string;
  open(): Promise<DB>;
  reopen(): Promise<DB>;
}

const file = temporaryFolder();
const mounts: string[] = [];
afterAll(() => {
  for (const mount of mounts) execFileSync("umount", [mount]);
});

/** A file system of 1 MiB where this process may mount one; elsewhere a storage that fails from some write on. */
function smallDisk(): SmallDisk {
  const folder = file("small-disk");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "kvasir-test", folder], { stdio: "pipe" });
  } catch {
    const storage = new FaultStorage();
    return {
      what: "a fault-injecting storage",
      async open() {
        const db = await openStorage(storage, { pageSize: 1024 });
        for (let nth = 100; nth < 2000; nth++) storage.failWrite(nth, "ENOSPC");
        return db;
      },
      reopen: () => openStorage(new MemoryStorage(storage.content())),
    };
  }
  mounts.push(folder);
  const path = join(folder, "full.db");
  return {
    what: "a tmpfs",
    open: () => open(path, { pageSize: 1024 }),
    async reopen() {
      expect(statSync(path).size).toBeGreaterThan(100_000);
      return open(path);
    },
  };
}

const disk = smallDisk();

it(`a full disk (${disk.what}) fails the write, keeps the file sound and lets reads go on`, async () => {
  const db = await disk.open();
  const model = new Model();
  let failure: unknown;
  let others: string[] = [];
  for (let n = 0; n < 2000 && failure === undefined; n++) {
    const put: Transaction = {
      ops: [{ op: "put", bucket: [hex("b")], key: hex(`k${n}`), value: hex(`value ${n}`), size: 3000 }],
    };
    try {
      await db.update((tx) => runOperations(tx, put.ops));
      model.apply(put);
    } catch (error) {
      failure = error;
      const ahead = Model.fromDump(model.dump());
      ahead.apply(put);
      if (error instanceof EngineError && error.outcome === "unknown") others = [ahead.dump()];
    }
  }
  expect(failure).toMatchObject({ code: "IO", cause: { code: "ENOSPC" } });
  expect(["not-applied", "unknown"]).toContain((failure as EngineError).outcome);
  const possible = [model.dump(), ...others];
  try {
    expect(possible).toContain(dumpEngine(db));
    expect(await checkEngine(db)).toEqual([]);
  } catch (error) {
    // A database that does not trust its state any more closes itself; nothing else is allowed.
    expect(error).toMatchObject({ code: "CLOSED" });
  }
  await db.close();

  const again = await disk.reopen();
  expect(await checkEngine(again)).toEqual([]);
  expect(possible).toContain(dumpEngine(again));
  await again.close();
});
