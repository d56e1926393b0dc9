import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectConsul, type ConsulStore } from "../../src/consul/index.js";
import { type ConsulServer, createProxy, skipped, startConsul, type TcpProxy } from "../servers/index.js";

describe.skipIf(skipped("consul"))("round trips of Consul calls, and sessions of 10 s", () => {
  let server: ConsulServer;
  let proxy: TcpProxy;
  let store: ConsulStore;

  beforeAll(async () => {
    // Consul's own shortest ttl, 10 s, is to be learned.
    server = await startConsul();
    proxy = await createProxy(server.endpoint, { count: "http1" });
    store = await connectConsul({ endpoints: [proxy.host], prefix: "round-trips" });
  });
  afterAll(async () => {
    await store?.close();
    await proxy?.close();
    await server?.close();
  });

  /** How many requests a call takes. */
  async function requestsOf(call: () => Promise<unknown>): Promise<number> {
    const before = proxy.count.requests;
    await call();
    return proxy.count.requests - before;
  }

  it("one request a call", async () => {
    expect(await requestsOf(() => store.put("a/1", "1"))).toBe(1);
    expect(await requestsOf(() => store.put("a/2", "1"))).toBe(1);
    expect(await requestsOf(() => store.get("a/1"))).toBe(1);
    expect(await requestsOf(() => store.get("a/1", { consistency: "stale" }))).toBe(1);
    expect(await requestsOf(() => store.get("absent"))).toBe(1);
    expect(await requestsOf(() => store.exists("a/1"))).toBe(1);
    expect(await requestsOf(() => store.list("a"))).toBe(1);
    expect(await requestsOf(() => store.keys("a"))).toBe(1);
    const pair = await store.get("a/1");
    expect(await requestsOf(() => store.atomicPut("a/1", "2", pair))).toBe(1);
    expect(await requestsOf(() => store.atomicPut("a/3", "1", null))).toBe(1);
    // Refused ones too.
    expect(await requestsOf(() => store.atomicPut("a/1", "3", pair).catch(() => {}))).toBe(1);
    const current = await store.get("a/1");
    expect(await requestsOf(() => store.atomicDelete("a/1", current!))).toBe(1);
    expect(await requestsOf(() => store.delete("a/2"))).toBe(1);
    expect(await requestsOf(() => store.delete("a/2"))).toBe(1);
    expect(await requestsOf(() => store.deleteTree("a"))).toBe(1);
    expect(await requestsOf(() => store.atomic().check("b/1", null).put("b/1", "1").put("b/2", "1").commit())).toBe(1);
  });

  it("concurrent calls share requests; absent keys of a batch cost one more", async () => {
    const keys = Array.from({ length: 64 }, (_, at) => `many/${at}`);
    expect(await requestsOf(() => Promise.all(keys.map((key) => store.put(key, "1"))))).toBe(2);
    expect(await requestsOf(() => Promise.all(keys.map((key) => store.get(key))))).toBe(1);
    const pairs = await Promise.all(keys.map((key) => store.get(key)));
    // Three operations each, in transactions of 64.
    expect(
      await requestsOf(() => Promise.all(pairs.map((pair) => store.atomicPut(pair!.key, "2", pair)))),
    ).toBeLessThanOrEqual(4);
    await store.delete("many/7");
    let found: unknown[] = [];
    const reads = async (): Promise<void> => {
      found = await Promise.all(keys.map((key) => store.exists(key)));
    };
    expect(await requestsOf(reads)).toBe(2);
    expect(found.filter((there) => there === true)).toHaveLength(63);
    expect(await requestsOf(() => Promise.all(keys.map((key) => store.delete(key))))).toBeLessThanOrEqual(4);
  });

  it("a ttl takes a session first; a lock takes a session and an acquire, and gives both back in two", async () => {
    expect(await requestsOf(() => store.put("ttl", "1", { ttlMs: 15_000 }))).toBe(2);
    let hold: Awaited<ReturnType<ReturnType<ConsulStore["newLock"]>["lock"]>>;
    const lock = async (): Promise<void> => {
      hold = await store.newLock("lock", { ttlMs: 15_000 }).lock();
    };
    expect(await requestsOf(lock)).toBe(2);
    expect(await requestsOf(() => hold.unlock())).toBe(2);
  });

  it("the agent's shortest ttl is learned, told, and shorter ones are raised to it", async () => {
    expect(store.capabilities.ttl).toMatchObject({ minimumMs: 10_000, maximumMs: 86_400_000, lateByFactor: 2 });
    const pair = await store.put("short", "1", { ttlMs: 500 });
    expect(pair.ttlMs).toBe(10_000);
    const hold = await store.newLock("short-lock", { ttlMs: 1_000 }).lock();
    expect(hold.ttlMs).toBe(10_000);
    await hold.unlock();
  });

  it("on an agent with the default a key goes on time, and a lock outlives its ttl", async () => {
    const sentAt = Date.now();
    const hold = await store.newLock("long-lock", { ttlMs: 10_000 }).lock();
    await store.put("timed", "1", { ttlMs: 10_000 });
    const ends = store.watch("timed")[Symbol.asyncIterator]();
    await ends.next();
    expect((await ends.next()).value).toBeUndefined();
    const tookMs = Date.now() - sentAt;
    expect(tookMs).toBeGreaterThanOrEqual(10_000);
    expect(tookMs).toBeLessThan(12_000);
    expect(hold.held).toBe(true);
    expect(await store.newLock("long-lock").tryLock()).toBeUndefined();
    await hold.unlock();
  }, 30_000);
});
