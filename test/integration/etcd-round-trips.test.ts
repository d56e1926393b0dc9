import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectEtcd, type EtcdStore } from "../../src/etcd/index.js";
import { createProxy, type EtcdServer, skipped, startEtcd, type TcpProxy } from "../servers/index.js";

describe.skipIf(skipped("etcd"))("round trips of etcd calls", () => {
  let server: EtcdServer;
  let proxy: TcpProxy;
  let store: EtcdStore;
  let prefixes = 0;

  beforeAll(async () => {
    server = await startEtcd();
    proxy = await createProxy(server.endpoint, { count: "http2" });
  });
  beforeEach(async () => {
    store = await connectEtcd({ endpoints: proxy.host, prefix: `trips/${++prefixes}` });
    return () => store.close();
  });
  afterAll(async () => {
    await proxy.close();
    await server.close();
  });

  /** How many requests a call takes. */
  async function requestsOf(call: () => Promise<unknown>): Promise<number> {
    proxy.resetCount();
    await call();
    return proxy.count.requests;
  }

  it("is one for each plain call", async () => {
    const pair = await store.put("k", "1");
    await store.put("d/a", "1");
    expect(await requestsOf(() => store.put("p", "1"))).toBe(1);
    expect(await requestsOf(() => store.get("k"))).toBe(1);
    expect(await requestsOf(() => store.get("absent", { consistency: "stale" }))).toBe(1);
    expect(await requestsOf(() => store.exists("k"))).toBe(1);
    expect(await requestsOf(() => store.atomicPut("k", "2", pair))).toBe(1);
    expect(await requestsOf(() => store.atomicPut("k", "3", pair).catch(() => {}))).toBe(1);
    expect(await requestsOf(() => store.list("d"))).toBe(1);
    expect(await requestsOf(() => store.deleteTree("d"))).toBe(1);
    expect(
      await requestsOf(() =>
        store
          .atomic()
          .check("k", null)
          .put("k", "4")
          .commit()
          .catch(() => {}),
      ),
    ).toBe(1);
    expect(await requestsOf(() => store.delete("k"))).toBe(1);
    expect(await requestsOf(() => store.ping())).toBe(1);
  });

  it("is two for a put with a ttl and for a free lock, one for its unlock", async () => {
    expect(await requestsOf(() => store.put("k", "1", { ttlMs: 5_000 }))).toBe(2);
    const lock = store.newLock("lock");
    // The first hold of a store also opens the stream that all its watches share.
    expect(await requestsOf(() => lock.lock())).toBeLessThanOrEqual(3);
    await lock.unlock();
    expect(await requestsOf(() => lock.lock())).toBe(2);
    expect(await requestsOf(() => lock.unlock())).toBe(1);
  });

  it("is shared by concurrent calls, whatever they are", async () => {
    const many = (count: number, call: (key: string) => Promise<unknown>) =>
      requestsOf(() => Promise.all(Array.from({ length: count }, (_, at) => call(`k${at}`))));
    expect(await many(64, (key) => store.get(key))).toBe(1);
    expect(await many(64, (key) => store.put(key, "1"))).toBe(1);
    // The widest batch of nested transactions that the server takes is 127.
    expect(await many(127, (key) => store.atomicPut(`n${key}`, "1", null))).toBe(1);
    expect(await many(128, (key) => store.atomicPut(`m${key}`, "1", null))).toBe(2);
    expect(await many(256, (key) => store.exists(key))).toBe(2);
    expect(await many(64, (key) => store.delete(key))).toBe(1);
  });

  it("is one for each call where batching is off", async () => {
    const single = await connectEtcd({ endpoints: proxy.host, batch: false });
    const gets = () => Promise.all(Array.from({ length: 8 }, (_, at) => single.get(`k${at}`)));
    expect(await requestsOf(gets)).toBe(8);
    await single.close();
  });

  it("a call of a batch that the server refuses fails alone", async () => {
    const large = new Uint8Array(1024 * 1024 + 400 * 1024);
    const results = await Promise.allSettled([
      store.put("large", large),
      store.put("small", "1"),
      store.atomicPut("conflict", "1", { revision: 1n }),
      store.atomicPut("fresh", "1", null),
      store.delete("absent"),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    expect(await store.get("fresh")).toBeDefined();
  });
});
