import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectZookeeper, type ZookeeperStore } from "../../src/zookeeper/index.js";
import { createProxy, skipped, startZooKeeper, type TcpProxy, type ZooKeeperServer } from "../servers/index.js";

describe.skipIf(skipped("zookeeper"))("round trips of ZooKeeper calls", () => {
  let server: ZooKeeperServer;
  let proxy: TcpProxy;
  let store: ZookeeperStore;
  let prefixes = 0;

  beforeAll(async () => {
    server = await startZooKeeper();
    proxy = await createProxy(server.endpoint, { count: "zookeeper" });
    // Held open by a key: the guards are made on their first use.
    const first = await connectZookeeper({ endpoints: proxy.host });
    await Promise.all(Array.from({ length: 2_000 }, (_, at) => first.put(`guards/${at}`, "")));
    await first.close();
  });
  beforeEach(async () => {
    // Pings would count: the session is long enough to have none meanwhile.
    const prefix = `trips/${++prefixes}`;
    store = await connectZookeeper({ endpoints: proxy.host, prefix, sessionTimeoutMs: 40_000 });
    await store.put("here", "so that the prefix stays");
    return () => store.close();
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });

  /** How often the store waits for the server in a call, however many requests it has sent by then. */
  async function tripsOf(call: () => Promise<unknown>): Promise<number> {
    proxy.resetCount();
    await call();
    return proxy.count.roundTrips;
  }

  it("is one for each plain call", async () => {
    const pair = await store.put("k", "1");
    expect(await tripsOf(() => store.put("k", "2"))).toBe(1);
    expect(await tripsOf(() => store.put("new", "1"))).toBe(1);
    expect(await tripsOf(() => store.get("k"))).toBe(1);
    expect(await tripsOf(() => store.get("absent", { consistency: "stale" }))).toBe(1);
    expect(await tripsOf(() => store.exists("k"))).toBe(1);
    expect(await tripsOf(() => store.delete("absent"))).toBe(1);
    expect(await tripsOf(() => store.delete("k"))).toBe(1);
    expect(await tripsOf(() => store.ping())).toBe(1);
    expect(pair.revision).toBeGreaterThan(0n);
  });

  it("is one for a put of a key that another wrote", async () => {
    const another = await connectZookeeper({ endpoints: server.hosts, prefix: `trips/${prefixes}` });
    await another.put("theirs", "1");
    await another.close();
    expect(await tripsOf(() => store.put("theirs", "2"))).toBe(1);
  });

  it("is one for a compare-and-set of what this store wrote, two where others created keys since", async () => {
    expect(await tripsOf(() => store.atomicPut("k", "1", null))).toBe(1);
    let pair = (await store.get("k"))!;
    expect(await tripsOf(async () => (pair = await store.atomicPut("k", "2", pair)))).toBe(1);
    expect(await tripsOf(() => store.atomicPut("k", "3", { revision: 1n }).catch(() => {}))).toBe(1);
    expect(await tripsOf(() => store.atomicDelete("k", pair))).toBe(1);

    const other = await connectZookeeper({ endpoints: server.hosts, prefix: `trips/${prefixes}` });
    const theirs = await other.put("theirs", "1");
    await other.close();
    expect(await tripsOf(() => store.atomicPut("theirs", "2", theirs))).toBeLessThanOrEqual(2);
  });

  it("is three for a new directory, two for a put with a ttl, one that takes it back, and atomic()", async () => {
    expect(await tripsOf(() => store.put("a/b/c", "1"))).toBe(3);
    expect(await tripsOf(() => store.put("a/b/d", "1"))).toBe(1);
    expect(await tripsOf(() => store.put("ttl", "1", { ttlMs: 40_000 }))).toBe(2);
    expect(await tripsOf(() => store.put("ttl", "2"))).toBe(2);
    expect(await tripsOf(() => store.atomic().check("k", null).put("k", "1").put("l", "1").commit())).toBe(2);
  });

  it("is one more for each directory that a delete leaves empty", async () => {
    await store.put("x/y", "1");
    await store.put("x/z", "1");
    expect(await tripsOf(() => store.delete("x/y"))).toBe(1);
    expect(await tripsOf(() => store.delete("x/z"))).toBe(2);
  });

  it("grows with the depth of a listed tree, not with its keys", async () => {
    for (let at = 0; at < 1_000; at += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, each) => store.put(`tree/${at}/${each}`, "1")));
    }
    const trips = await tripsOf(async () => expect(await store.list("tree")).toHaveLength(1_000));
    expect(trips).toBeLessThanOrEqual(2 * 3);
    expect(await tripsOf(async () => expect(await store.deleteTree("tree")).toBe(1_000))).toBeLessThanOrEqual(12);
  });

  it("is three for a free lock, one for its unlock", async () => {
    const lock = store.newLock("lock");
    await (await lock.lock()).unlock();
    // No queue, the queue with a place in it, the value.
    expect(await tripsOf(() => lock.lock())).toBe(3);
    expect(await tripsOf(() => lock.unlock())).toBe(1);
  });

  it("is shared by concurrent calls", async () => {
    const many = (count: number, call: (key: string) => Promise<unknown>) =>
      tripsOf(() => Promise.all(Array.from({ length: count }, (_, at) => call(`k${at}`))));
    expect(await many(64, (key) => store.put(key, "1"))).toBe(1);
    expect(await many(64, (key) => store.put(key, "2"))).toBe(1);
    expect(await many(64, (key) => store.get(key))).toBe(1);
    expect(await many(128, (key) => store.get(key, { consistency: "stale" }))).toBe(1);
    expect(await many(64, (key) => store.delete(key))).toBe(1);
  });

  it("sends many gets, and many puts of known keys, as one request", async () => {
    const keys = Array.from({ length: 64 }, (_, at) => `k${at}`);
    const requestsOf = async (call: (key: string) => Promise<unknown>): Promise<number> => {
      proxy.resetCount();
      await Promise.all(keys.map(call));
      return proxy.count.requests;
    };
    await Promise.all(keys.map((key) => store.put(key, "1")));
    expect(await requestsOf((key) => store.put(key, "2"))).toBe(1);
    expect(await requestsOf((key) => store.get(key, { consistency: "stale" }))).toBe(1);
    // The barrier and the reads.
    expect(await requestsOf((key) => store.get(key))).toBe(2);
  });

  it("a call of a batch that the server refuses fails alone", async () => {
    await Promise.all([store.put("gone", "1"), store.put("small", "1"), store.put("owned", "1")]);
    await store.client.delete(`/trips/${prefixes}/gone`);
    const results = await Promise.allSettled([
      store.put("gone", "2"),
      store.put("small", "2"),
      store.put("owned", "2"),
      store.atomicPut("conflict", "1", { revision: 1n }),
      store.atomicPut("fresh", "1", null),
      store.delete("absent"),
    ]);
    const [conflict] = results.splice(3, 1);
    expect(conflict).toMatchObject({ status: "rejected", reason: { code: "KEY_MODIFIED" } });
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["fulfilled"]));
    expect((await store.get("gone"))?.text()).toBe("2");
    expect((await store.get("small"))?.text()).toBe("2");
    expect(await store.get("fresh")).toBeDefined();
  });
});
