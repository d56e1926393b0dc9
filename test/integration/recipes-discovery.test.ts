import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Store } from "../../src/core/store.js";
import { createDiscovery, type Discovery, type ServiceChange } from "../../src/recipes/index.js";
import { sleep } from "../../src/util/sleep.js";
import { waitUntil } from "../servers/index.js";
import { recipeBackends, type RunningBackend } from "./recipes-backends.js";

const ttlMs = 10_000;

describe.each(recipeBackends.filter((backend) => !backend.skipped))("discovery on $name", (backend) => {
  let running: RunningBackend;
  let store: Store;
  /** Another client of the same data. */
  let other: Store;
  let cases = 0;
  /** One that registers, one that looks, in a directory of the case's own. */
  let registry: Discovery;
  let clients: Discovery;
  let directory: string;

  beforeAll(async () => {
    running = await backend.start();
    store = await running.open();
    other = await running.openDirect();
  });
  afterAll(() => running?.close());

  function begin(): void {
    directory = `services-${++cases}`;
    registry = createDiscovery(store, { directory });
    clients = createDiscovery(other, { directory });
  }

  it("an instance is there for others until it is deregistered, longer than its ttl", async () => {
    begin();
    const registration = await registry.register({
      service: "web",
      id: "web-1",
      address: "10.0.0.7",
      port: 8080,
      meta: { zone: "a" },
      ttlMs: Math.max(store.capabilities.ttl.minimumMs, 1_000),
    });
    const seen: ServiceChange[] = [];
    const watching = (async () => {
      for await (const change of clients.watch("web")) {
        seen.push(change);
        if (change.instances.length === 0) return;
      }
    })();
    // Time is what this is about: it has to pass.
    await sleep(registration.ttlMs * 3);
    expect(await clients.instances("web")).toEqual([registration.instance]);
    await registry.close();
    await watching;
    expect(seen.map(({ joined, left, changed }) => [joined.length, left.length, changed.length])).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(await other.keys(directory)).toEqual([]);
  });

  it("fifty instances come and go, and every watcher ends with those that are there", async () => {
    begin();
    let last: ServiceChange | undefined;
    const counted = { joined: 0, left: 0 };
    const abort = new AbortController();
    const watching = (async () => {
      for await (const change of clients.watch("web", { signal: abort.signal })) {
        counted.joined += change.joined.length;
        counted.left += change.left.length;
        last = change;
      }
    })().catch(() => undefined);
    const registrations = await Promise.all(
      Array.from({ length: 50 }, (_, port) => registry.register({ service: "web", address: "10.0.0.7", port, ttlMs })),
    );
    await Promise.all(registrations.filter((_, index) => index % 2 === 0).map((each) => each.deregister()));
    const there = registrations.filter(({ state }) => state === "registered").map(({ instance }) => instance.id);
    expect(there).toHaveLength(25);
    const wanted = there.toSorted((left, right) => (left < right ? -1 : 1)).join();
    const seen = (): string | undefined => last?.instances.map(({ id }) => id).join();
    await waitUntil("the watcher has seen it all", async () => seen() === wanted, { timeoutMs: 10_000 });
    expect(counted.joined - counted.left).toBe(25);
    expect(await clients.services()).toEqual(["web"]);
    expect((await clients.pick("web"))?.id).toBe(last?.instances[0]?.id);
    abort.abort();
    await watching;
    await Promise.all([registry.close(), clients.close()]);
    expect(await other.keys(directory)).toEqual([]);
  });

  it("an entry that somebody deletes comes back by itself", async () => {
    begin();
    const registration = await registry.register({ service: "web", address: "10.0.0.7", port: 1, ttlMs });
    for (const remove of [() => other.delete(registration.key), () => other.deleteTree(directory)]) {
      await remove();
      await waitUntil("it is back", () => other.exists(registration.key), { timeoutMs: 5_000 });
    }
    await waitUntil("it says so", async () => registration.state === "registered", { timeoutMs: 5_000 });
    await registration.deregister();
    expect(await other.keys(directory)).toEqual([]);
  });

  it("a check that fails takes the entry away, and it comes back with the check", async () => {
    begin();
    let healthy = true;
    const check = { type: "function" as const, run: () => healthy, intervalMs: 20, failures: 1 };
    await registry.register({ service: "web", id: "x", address: "10.0.0.7", port: 1, ttlMs, check });
    const counts: number[] = [];
    for await (const { instances } of clients.watch("web")) {
      counts.push(instances.length);
      healthy = instances.length === 0;
      if (counts.length === 3) break;
    }
    expect(counts).toEqual([1, 0, 1]);
    await registry.close();
  });

  it("the later of two registrations of one id wins, whoever ends first", async () => {
    begin();
    const instance = { service: "web", id: "x", address: "10.0.0.7", ttlMs };
    const first = await registry.register({ ...instance, port: 1 });
    const second = await clients.register({ ...instance, port: 2 });
    await waitUntil("the first one knows", async () => first.state === "replaced", { timeoutMs: 5_000 });
    await registry.close();
    expect((await clients.instances("web")).map(({ port }) => port)).toEqual([2]);
    await second.deregister();
    expect(await other.keys(directory)).toEqual([]);
  });
});
