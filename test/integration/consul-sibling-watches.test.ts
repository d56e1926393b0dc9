import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectConsul, type ConsulStore } from "../../src/consul/index.js";
import { mostSplitQueries } from "../../src/consul/watch-query.js";
import { type ConsulServer, createProxy, skipped, startConsul, type TcpProxy } from "../servers/index.js";
import { changeByChance, FollowedKeys } from "./followed-keys.js";

/** Calls of a store share this many connections at most. */
const callConnections = 8;
/** What 500 keys and more take when little happens: four of them have a query each. */
const quietQueries = 5;

describe.skipIf(skipped("consul"))("Consul watches of sibling keys", () => {
  let server: ConsulServer;
  let proxy: TcpProxy;
  let store: ConsulStore;
  let another: ConsulStore;

  beforeAll(async () => {
    server = await startConsul();
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    proxy = await createProxy(server.endpoint, { count: "http1" });
    store = await connectConsul({ endpoints: [proxy.host], prefix: "siblings" });
    another = await connectConsul({ endpoints: [server.hosts], prefix: "siblings" });
  });
  afterEach(async () => {
    await store.deleteTree("", { root: true });
    await Promise.all([store.close(), another.close()]);
    await proxy.close();
  });

  const numbers = (count: number): string[] => Array.from({ length: count }, (_, at) => `d/${at}`);
  /** Names with their begin in common in all the ways that make a difference to a path. */
  const awkward = [
    ".a",
    "..a",
    "..b",
    "a",
    "ab",
    "abc",
    "a b",
    "%",
    "%2F",
    "?x",
    "#x",
    "é",
    "\u{1F600}",
    "\u{1F601}",
    "\u{1F601}x",
  ];

  it.each([500, 1_000])(
    "%i of them see every change, in few connections, and in more while much happens",
    async (count) => {
      const keys = [...numbers(count), ...awkward.map((name) => `d/${name}`)];
      await Promise.all(
        keys.filter((_, at) => at % 3 !== 0).map((key) => store.put(key, "there before".padEnd(100, "."))),
      );
      const followed = new FollowedKeys();
      await followed.follow(store, keys);
      expect(proxy.connections).toBeLessThanOrEqual(callConnections + quietQueries);
      let most = 0;
      for (let round = 0; round < 10; round++) {
        await changeByChance([store, another], keys, 150);
        await followed.expectToBeCurrent(another, "d");
        most = Math.max(most, proxy.connections);
      }
      expect(most).toBeGreaterThan(callConnections + quietQueries);
      expect(most).toBeLessThanOrEqual(callConnections + mostSplitQueries);
      await followed.end();
    },
  );

  it("that come one by one while much happens see every change", async () => {
    const keys = [...numbers(300), ...awkward.map((name) => `d/${name}`)];
    await Promise.all(keys.map((key) => store.put(key, "there before".padEnd(100, "."))));
    const followed = new FollowedKeys();
    for (let at = 0; at < keys.length; at += 15) {
      await Promise.all([followed.follow(store, keys.slice(at, at + 15)), changeByChance([store, another], keys, 40)]);
    }
    await followed.expectToBeCurrent(another, "d");
    expect(proxy.connections).toBeGreaterThan(callConnections + quietQueries);
    await followed.end();
  });

  it("of which one is absent wakes at the writes of others, but rests 10 ms when there is no news", async () => {
    const absent = store.watch("d/absent")[Symbol.asyncIterator]();
    await absent.next();
    const told = absent.next();
    const [requests, startedAt] = [proxy.count.requests, performance.now()];
    for (let times = 0; times < 300; times++) await another.put("d/other", String(times));
    const tookMs = performance.now() - startedAt;
    // The first few rests are shorter.
    expect(proxy.count.requests - requests).toBeLessThanOrEqual(tookMs / 10 + 6);
    await another.put("d/absent", "there");
    expect((await told).value?.text()).toBe("there");
  });
});
