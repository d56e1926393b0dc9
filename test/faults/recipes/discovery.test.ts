import { describe, expect, it } from "vitest";
import type { Store } from "../../../src/core/store.js";
import { createDiscovery, type Registration } from "../../../src/recipes/index.js";
import { sleep } from "../../../src/util/sleep.js";
import { type RecipeBackend, recipeBackends, type RunningBackend } from "../../integration/recipes-backends.js";
import { waitUntil } from "../../servers/index.js";
import { Child } from "../store/support.js";
import { Presence } from "./presence.js";
import { stopProcess } from "../../servers/stopped-process.js";

/** Asked for; what takes effect is the registration's. */
const ttlMs = 2_000;

/** What docs/discovery.md promises, in milliseconds. */
const promised = {
  /** A dead instance is there so much longer than its ttl, times `lateByFactor`, at most. */
  lateMs: 2_000,
  /** A living one is back so soon after the store answers again. */
  backMs: 5_000,
};

const longestPresence = (store: Store): number => ttlMs * store.capabilities.ttl.lateByFactor + promised.lateMs;

async function onBackend(
  backend: RecipeBackend,
  body: (running: RunningBackend, direct: Store, presence: Presence) => Promise<void>,
): Promise<void> {
  const running = await backend.start();
  try {
    const direct = await running.openDirect();
    const presence = new Presence(direct, "x");
    await body(running, direct, presence);
    await presence.close();
  } finally {
    await running.close();
  }
}

async function register(store: Store): Promise<Registration> {
  const registration = await createDiscovery(store).register({
    service: "web",
    id: "x",
    address: "127.0.0.1",
    port: 80,
    ttlMs,
  });
  expect(registration.ttlMs).toBe(ttlMs);
  return registration;
}

const usable = recipeBackends.filter((backend) => !backend.skipped);

describe.each(usable.filter(({ shared }) => shared))("an instance in another process, on $name", (backend) => {
  it("that is killed is gone in time, and not before its ttl", () =>
    onBackend(backend, async (running, direct, presence) => {
      const child = new Child("../recipes/discovery-child.ts", [running.directUrl!, "x", `${ttlMs}`]);
      expect(await child.line()).toBe("registered");
      await presence.until(true, 5_000);
      // Longer than the ttl, so that it is there because it is renewed.
      await sleep(ttlMs * 1.5);
      expect(presence.departures).toBe(0);
      const killedAt = performance.now();
      child.kill("SIGKILL");
      const goneAt = await presence.until(false, longestPresence(direct));
      // Its last renewal was at most a third of the ttl ago.
      expect(goneAt - killedAt).toBeGreaterThan(ttlMs / 2);
    }));

  it("that is told to end by SIGTERM is gone at once, and ends by the signal", () =>
    onBackend(backend, async (running, _direct, presence) => {
      const child = new Child("../recipes/discovery-child.ts", [running.directUrl!, "x", "60000"]);
      expect(await child.line()).toBe("registered");
      await presence.until(true, 5_000);
      child.kill("SIGTERM");
      await presence.until(false, 2_000);
      await child.exited;
      expect(child.process.signalCode).toBe("SIGTERM");
    }));

  it("that is stopped for longer than its ttl goes, and is back when it goes on", () =>
    onBackend(backend, async (running, direct, presence) => {
      const child = new Child("../recipes/discovery-child.ts", [running.directUrl!, "x", `${ttlMs}`]);
      expect(await child.line()).toBe("registered");
      await presence.until(true, 5_000);
      await stopProcess(child.process, running.directUrl!);
      await presence.until(false, longestPresence(direct));
      child.kill("SIGCONT");
      await presence.until(true, promised.backMs);
      await sleep(ttlMs * 1.5);
      expect([presence.present, presence.departures]).toEqual([true, 1]);
    }));

  it("that is started again after a crash takes its entry over without a gap", () =>
    onBackend(backend, async (running, direct, presence) => {
      // Long enough that the second process has started by then, on any machine.
      const oldTtlMs = 8_000;
      const first = new Child("../recipes/discovery-child.ts", [running.directUrl!, "x", `${oldTtlMs}`]);
      expect(await first.line()).toBe("registered");
      await presence.until(true, 5_000);
      first.kill("SIGKILL");
      await first.exited;
      const second = new Child("../recipes/discovery-child.ts", [running.directUrl!, "x", `${ttlMs}`]);
      expect(await second.line()).toBe("registered");
      // Until nothing of the first one can be left.
      await sleep(oldTtlMs * direct.capabilities.ttl.lateByFactor + 1_000);
      expect([presence.present, presence.departures]).toEqual([true, 0]);
    }));
});

describe.each(usable.filter(({ served }) => served))("a living instance, on $name", (backend) => {
  it("is never missing through outages shorter than its ttl", () =>
    onBackend(backend, async (running, _direct, presence) => {
      const registration = await register(await running.open());
      await presence.until(true, 5_000);
      for (let round = 0; round < 3; round++) {
        running.cutOff();
        await sleep(ttlMs / 4);
        await running.reconnect();
        await sleep(ttlMs);
      }
      expect([presence.present, presence.departures, registration.state]).toEqual([true, 0, "registered"]);
    }));

  it.each(["cut", "stalled"])("is back soon after an outage longer than its ttl, %s", (how) =>
    onBackend(backend, async (running, direct, presence) => {
      const store = await running.open();
      const registration = await register(store);
      await presence.until(true, 5_000);
      if (how === "cut") running.cutOff();
      else running.proxy!.stall();
      await presence.until(false, longestPresence(direct));
      running.proxy!.resume();
      await running.reconnect();
      const answersAt = performance.now();
      const backAt = await presence.until(true, promised.backMs);
      expect(backAt - answersAt).toBeLessThan(promised.backMs);
      await waitUntil("it says so", async () => registration.state === "registered", { timeoutMs: 2_000 });
      // From then on it is renewed again.
      await sleep(ttlMs * 2);
      expect([presence.present, presence.departures]).toEqual([true, 1]);
      await registration.deregister();
      await presence.until(false, 1_000);
    }),
  );

  it("is there after the server was killed and came back", () =>
    onBackend(backend, async (running, _direct, presence) => {
      const registration = await register(await running.open());
      await presence.until(true, 5_000);
      await running.member!.kill();
      await sleep(ttlMs * 1.5);
      await running.member!.start();
      const reader = await running.openDirect();
      await waitUntil("the entry is there", () => reader.exists(registration.key), { timeoutMs: promised.backMs });
      await sleep(ttlMs * 2);
      expect(await reader.exists(registration.key)).toBe(true);
      await presence.until(true, promised.backMs);
    }));

  it("is there after the server came back empty", () =>
    onBackend(backend, async (running) => {
      const registration = await register(await running.open());
      await running.member!.restart({ emptyData: true });
      const reader = await running.openDirect();
      await waitUntil("the entry is there", () => reader.exists(registration.key), { timeoutMs: promised.backMs });
      await sleep(ttlMs * 2);
      expect(await reader.exists(registration.key)).toBe(true);
    }));

  it("that deregisters during an outage is not there afterwards", () =>
    onBackend(backend, async (running, direct, presence) => {
      const registration = await register(await running.open());
      await presence.until(true, 5_000);
      running.cutOff();
      await expect(registration.deregister({ timeoutMs: 200 })).rejects.toMatchObject({ code: "TIMEOUT" });
      await running.reconnect();
      await presence.until(false, longestPresence(direct));
      await sleep(ttlMs * 1.5);
      expect([presence.present, presence.departures]).toEqual([false, 1]);
    }));
});
