import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { BoltFile } from "../../../src/bolt/bolt-file.js";
import { BoltDriver } from "../../../src/bolt/driver.js";
import { connectBolt } from "../../../src/bolt/index.js";
import { ManagedStore } from "../../../src/core/managed-store.js";
import { ShiftedClock } from "../../../src/util/shifted-clock.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kvasir-renewal-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ttlMs = 60_000;

/** A store on a file that only it has open, with a clock that is moved by hand. */
async function openStore(path: string): Promise<{ store: ManagedStore; clock: ShiftedClock }> {
  const clock = new ShiftedClock();
  const file = await BoltFile.open(path, {}, { clock, bootClock: { boot: "this boot", now: () => clock.now() } });
  const session = await file.session("kvasir", { deadline: Number.POSITIVE_INFINITY });
  const store = new ManagedStore(new BoltDriver(file, session), { clock });
  onTestFinished(() => store.close());
  return { store, clock };
}

async function passTtls(clock: ShiftedClock, ttls: number): Promise<void> {
  for (let step = 0; step < ttls * 10; step++) await clock.advance(ttlMs / 10);
}

describe("a lock in a file that one process has open", () => {
  test("is renewed without a write to the file", async () => {
    const path = join(folder, "renewed.db");
    const { store, clock } = await openStore(path);
    const hold = await store.newLock("job", { value: "me", ttlMs }).lock();
    const before = readFileSync(path);
    await passTtls(clock, 4);
    expect(hold.held).toBe(true);
    expect((await store.get("job"))?.text()).toBe("me");
    expect(await store.newLock("job").tryLock()).toBeUndefined();
    expect(readFileSync(path).equals(before)).toBe(true);
    await hold.unlock();
    expect(await store.get("job")).toBeUndefined();
  });

  test("ends when its key is put by others, and stays ended", async () => {
    const { store, clock } = await openStore(join(folder, "overwritten.db"));
    const hold = await store.newLock("job", { value: "me", ttlMs }).lock();
    await store.put("job", "plain");
    await passTtls(clock, 1);
    expect(hold.held).toBe(false);
    expect((await store.get("job"))?.text()).toBe("plain");
  });

  test("is free for whoever opens the file after a crash of its holder", async () => {
    const path = join(folder, "crashed.db");
    const { store, clock } = await openStore(path);
    await store.newLock("job", { value: "me", ttlMs }).lock();
    await passTtls(clock, 1);
    const copy = join(folder, "found.db");
    copyFileSync(path, copy);
    const next = await connectBolt({ path: copy });
    onTestFinished(() => next.close());
    expect(await next.get("job")).toBeUndefined();
    const taken = await next.newLock("job").tryLock();
    expect(taken?.held).toBe(true);
  });
});
