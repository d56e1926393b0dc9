import { copyFileSync, readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectBolt } from "../../../src/bolt/index.js";
import { temporaryFolder } from "../../interop/support/folder.js";
import { openByClock, passTtls } from "./clocked-file.js";

const file = temporaryFolder();
const ttlMs = 60_000;

describe("a lock in a file that one process has open", () => {
  test("is renewed without a write to the file", async () => {
    const path = file("renewed.db");
    const { store, clock } = await openByClock(path);
    const hold = await store.newLock("job", { value: "me", ttlMs }).lock();
    const before = readFileSync(path);
    await passTtls(clock, ttlMs, 4);
    expect(hold.held).toBe(true);
    expect((await store.get("job"))?.text()).toBe("me");
    expect(await store.newLock("job").tryLock()).toBeUndefined();
    expect(readFileSync(path).equals(before)).toBe(true);
    await hold.unlock();
    expect(await store.get("job")).toBeUndefined();
  });

  test("ends when its key is put by others, and stays ended", async () => {
    const { store, clock } = await openByClock(file("overwritten.db"));
    const hold = await store.newLock("job", { value: "me", ttlMs }).lock();
    await store.put("job", "plain");
    await passTtls(clock, ttlMs, 1);
    expect(hold.held).toBe(false);
    expect((await store.get("job"))?.text()).toBe("plain");
  });

  test("is free for whoever opens the file after a crash of its holder", async () => {
    const path = file("crashed.db");
    const { store, clock } = await openByClock(path);
    await store.newLock("job", { value: "me", ttlMs }).lock();
    await passTtls(clock, ttlMs, 1);
    const copy = file("found.db");
    copyFileSync(path, copy);
    const next = await connectBolt({ path: copy });
    onTestFinished(() => next.close());
    expect(await next.get("job")).toBeUndefined();
    const taken = await next.newLock("job").tryLock();
    expect(taken?.held).toBe(true);
  });
});
