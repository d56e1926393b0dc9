import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectEtcd2, type Etcd2Store } from "../../src/etcd2/index.js";
import { createProxy, type EtcdServer, skipped, startEtcd, type TcpProxy } from "../servers/index.js";

describe.skipIf(skipped("etcd"))("round trips of etcd v2 calls", () => {
  let server: EtcdServer;
  let proxy: TcpProxy;
  let store: Etcd2Store;

  beforeAll(async () => {
    server = await startEtcd({ version: "3.3", v2: true });
    proxy = await createProxy(server.endpoint, { count: "http1" });
    store = await connectEtcd2({ endpoints: proxy.host, prefix: "round-trips" });
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
    expect(await requestsOf(() => store.put("a/2", "1", { ttlMs: 60_000 }))).toBe(1);
    expect(await requestsOf(() => store.get("a/1"))).toBe(1);
    expect(await requestsOf(() => store.get("a/1", { consistency: "stale" }))).toBe(1);
    expect(await requestsOf(() => store.get("absent"))).toBe(1);
    expect(await requestsOf(() => store.exists("a/1"))).toBe(1);
    expect(await requestsOf(() => store.list("a"))).toBe(1);
    expect(await requestsOf(() => store.keys("a"))).toBe(1);
    const pair = await store.get("a/1");
    expect(await requestsOf(() => store.atomicPut("a/1", "2", pair))).toBe(1);
    expect(await requestsOf(() => store.atomicPut("a/3", "1", null))).toBe(1);
    expect(await requestsOf(() => store.atomicPut("a/1", "3", pair).catch(() => {}))).toBe(1);
    const current = await store.get("a/1");
    expect(await requestsOf(() => store.atomicDelete("a/1", current!))).toBe(1);
    expect(await requestsOf(() => store.delete("a/2"))).toBe(1);
    expect(await requestsOf(() => store.delete("a/2"))).toBe(1);
    expect(await requestsOf(() => store.atomic().check("b/1", null).put("b/1", "1").commit())).toBe(1);
    expect(await requestsOf(() => store.ping())).toBe(1);
  });

  it("two where the server's first answer does not tell enough", async () => {
    await store.put("t/1", "1");
    // A list comes first: a recursive delete of a key would delete that.
    expect(await requestsOf(() => store.deleteTree("t"))).toBe(2);
    expect(await requestsOf(() => store.deleteTree("t"))).toBe(1);
    await store.put("k", "1");
    // "Key already exists" is said of a directory too.
    expect(await requestsOf(() => store.atomicPut("k", "2", null).catch(() => {}))).toBe(2);
    const pair = await store.get("k");
    // One comparison goes with the write, each further one is a read.
    expect(await requestsOf(() => store.atomic().check("k", pair).commit())).toBe(1);
  });

  it("a free lock takes one, a renewal one, its unlock one; a held lock takes a read to see who holds it", async () => {
    let hold: Awaited<ReturnType<ReturnType<Etcd2Store["newLock"]>["lock"]>>;
    const lock = async (): Promise<void> => {
      hold = await store.newLock("lock", { ttlMs: 60_000 }).lock();
    };
    expect(await requestsOf(lock)).toBe(1);
    expect(await requestsOf(() => store.newLock("lock").tryLock())).toBe(2);
    expect(await requestsOf(() => hold.unlock())).toBe(1);
  });

  it("a directory that was left behind is cleared away by five requests more", async () => {
    await store.put("left/behind", "1");
    await store.delete("left/behind");
    // The refused put, the right to clear, a look, the delete, the right given back, the put.
    expect(await requestsOf(() => store.put("left", "1"))).toBe(6);
    expect((await store.get("left"))?.text()).toBe("1");
  });

  it("concurrent calls go out at once, each on its own", async () => {
    const keys = Array.from({ length: 64 }, (_, at) => `many/${at}`);
    expect(await requestsOf(() => Promise.all(keys.map((key) => store.put(key, "1"))))).toBe(64);
    expect(await requestsOf(() => Promise.all(keys.map((key) => store.get(key))))).toBe(64);
    expect(proxy.connections).toBeLessThanOrEqual(64);
  });

  it("what the server cannot keep is refused before anything is sent", async () => {
    const before = proxy.count.requests;
    for (const key of ["_hidden", "a/_hidden/b"]) {
      await expect(store.put(key, "1")).rejects.toMatchObject({ code: "NOT_SUPPORTED", outcome: "not-applied" });
      await expect(store.get(key)).rejects.toMatchObject({ code: "NOT_SUPPORTED", key });
    }
    const refused = store.put("bytes", Uint8Array.of(0xff, 0xfe));
    await expect(refused).rejects.toMatchObject({ code: "NOT_SUPPORTED", outcome: "not-applied" });
    const pair = await store.put("cas", "1");
    // The server takes an index of 0 for no comparison at all.
    await expect(store.atomicPut("cas", "2", { revision: 0n })).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    await expect(store.atomicDelete("cas", { revision: 2n ** 64n })).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    expect(proxy.count.requests - before).toBe(1);
    expect((await store.get("cas"))?.revision).toBe(pair.revision);
  });
});
