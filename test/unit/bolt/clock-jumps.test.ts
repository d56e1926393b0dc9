import { copyFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectBolt } from "../../../src/bolt/index.js";
import { createCandidate, createDiscovery } from "../../../src/recipes/index.js";
import { temporaryFolder } from "../../interop/support/folder.js";
import { openByClock, passTtls } from "./clocked-file.js";

const file = temporaryFolder();
const ttlMs = 60_000;
const dayMs = 24 * 60 * 60 * 1_000;

/** The clock of the machine is set by hand, or by NTP. */
describe.each([
  ["forward", dayMs],
  ["back", -dayMs],
])("a clock that is set a day %s", (direction, byMs) => {
  test("ends no lock, no term, no registration and no ttl of this process", async () => {
    const { store, clock } = await openByClock(file(`${direction}.db`));
    const hold = await store.newLock("job", { ttlMs }).lock();
    await store.put("ttl", "1", { ttlMs: 2 * ttlMs });
    await store.put("kept", "1", { ttlMs, keepAlive: true });
    const candidate = createCandidate(store, "leader", { id: "host-1", ttlMs });
    onTestFinished(() => candidate.stop());
    const held: (() => boolean)[] = [];
    void candidate.run(async (term) => {
      held.push(() => term.held);
      await new Promise<void>((over) => term.signal.addEventListener("abort", () => over(), { once: true }));
    });
    await expect.poll(() => candidate.leader()).toBe("host-1");
    const discovery = createDiscovery(store);
    await discovery.register({ service: "web", id: "web-1", address: "10.0.0.7", port: 80, ttlMs });

    clock.setForward(byMs);
    // Renewals are written before this is.
    const settle = (): Promise<unknown> => store.put("step", "");
    await passTtls(clock, ttlMs, 1.5, settle);
    expect(hold.held).toBe(true);
    expect(held.map((isHeld) => isHeld())).toEqual([true]);
    expect((await discovery.instances("web")).map(({ id }) => id)).toEqual(["web-1"]);
    expect([await store.exists("ttl"), await store.exists("kept")]).toEqual([true, true]);
    // And a ttl ends when its time has passed, whatever the time of day.
    await passTtls(clock, ttlMs, 1, settle);
    expect([await store.exists("ttl"), await store.exists("kept")]).toEqual([false, true]);
    expect(hold.held).toBe(true);
  });
});

test("whoever opens the file next goes by the time of day: a key whose end has come by it is gone", async () => {
  const path = file("past.db");
  const { store, clock } = await openByClock(path);
  // Put by a clock that is a day behind: by the time of day, its end has come.
  clock.setForward(-dayMs);
  await store.put("ttl", "1", { ttlMs });
  expect(await store.exists("ttl")).toBe(true);
  const copy = file("next.db");
  copyFileSync(path, copy);
  const next = await connectBolt({ path: copy });
  onTestFinished(() => next.close());
  expect(await next.exists("ttl")).toBe(false);
});
