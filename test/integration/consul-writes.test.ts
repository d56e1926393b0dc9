import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectConsul, type ConsulStore } from "../../src/consul/index.js";
import { type ConsulServer, createProxy, skipped, startConsul, type TcpProxy } from "../servers/index.js";
import { httpOk } from "../servers/http-request.js";

describe.skipIf(skipped("consul"))("Consul writes that take another step", () => {
  let server: ConsulServer;
  let proxy: TcpProxy;
  let store: ConsulStore;
  let another: ConsulStore;

  beforeAll(async () => {
    server = await startConsul({ sessionTtlMin: "1s" });
  });
  afterAll(() => server?.close());
  beforeEach(async () => {
    proxy = await createProxy(server.endpoint, { count: "http1" });
    store = await connectConsul({ endpoints: [proxy.host], prefix: "steps" });
    another = await connectConsul({ endpoints: [server.hosts], prefix: "steps" });
  });
  afterEach(async () => {
    proxy.resume();
    await store.deleteTree("", { root: true });
    await Promise.all([store.close(), another.close()]);
    await proxy.close();
  });

  async function requestsOf(call: () => Promise<unknown>): Promise<number> {
    const before = proxy.count.requests;
    await call();
    return proxy.count.requests - before;
  }

  /** The session that holds a key. */
  async function sessionOf(key: string): Promise<string | undefined> {
    const [entry] = JSON.parse(await httpOk(`${server.endpoint}/v1/kv/steps/${key}`)) as { Session?: string }[];
    return entry!.Session;
  }

  it("puts of what is there already have new revisions, in one request more", async () => {
    const keys = Array.from({ length: 32 }, (_, at) => `k${at}`);
    const first = await Promise.all(keys.map((key) => store.put(key, "the same")));
    let second: typeof first = [];
    const again = async (): Promise<void> => {
      second = await Promise.all(keys.map((key, at) => store.put(key, at % 4 === 0 ? "another" : "the same")));
    };
    expect(await requestsOf(again)).toBe(2);
    for (const [at, pair] of second.entries()) {
      expect(pair.revision, pair.key).toBeGreaterThan(first[at]!.revision);
      expect(await store.get(pair.key)).toMatchObject({ revision: pair.revision });
    }
    // Alone it is known beforehand that there is nothing to compare with.
    expect(await requestsOf(() => store.put("k1", "the same"))).toBe(1);
    expect(await requestsOf(() => store.put("empty", ""))).toBe(1);
    const { revision } = (await store.get("empty"))!;
    expect((await store.put("empty", "")).revision).toBeGreaterThan(revision);
  });

  it("a compare-and-set to the same bytes has a new revision: in one request where the pair is known", async () => {
    const pair = await store.put("k", "1");
    const second = await store.atomicPut("k", "1", { revision: pair.revision });
    expect(second.revision).toBeGreaterThan(pair.revision);
    await expect(store.atomicPut("k", "1", pair)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    expect(await requestsOf(() => store.atomicPut("k", "1", second))).toBe(1);
    await expect(store.atomicPut("k", "2", { revision: 0n })).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    await expect(store.atomicPut("absent", "2", { revision: 0n })).rejects.toMatchObject({ code: "KEY_MODIFIED" });
  });

  it("a key is freed from the session of its ttl: at once where the session is this store's, otherwise after the set", async () => {
    await store.put("own", "1", { ttlMs: 60_000 });
    await another.put("theirs", "1", { ttlMs: 60_000 });
    await another.put("swapped", "1", { ttlMs: 60_000 });
    expect(await requestsOf(() => store.put("theirs", "2"))).toBe(2);
    const pair = await store.get("swapped");
    expect(await requestsOf(() => store.atomicPut("swapped", "2", pair))).toBe(2);
    const before = proxy.count.requests;
    await store.put("own", "2");
    // Together with what gives the session back, which nobody waits for.
    await expect.poll(() => proxy.count.requests - before).toBe(3);
    for (const key of ["own", "theirs", "swapped"]) {
      expect(await sessionOf(key), key).toBeUndefined();
      expect((await store.get(key))?.text()).toBe("2");
    }
    const current = (await store.get("theirs"))!;
    expect((await store.put("theirs", "3")).revision).toBeGreaterThan(current.revision);
  });

  /** Puts over another store's ttl key; `between` runs after the set and before the key is freed. */
  async function putWith(between: (session: string) => Promise<unknown>): Promise<{ revision: bigint }> {
    await another.put("k", "1", { ttlMs: 60_000 });
    const session = (await sessionOf("k"))!;
    const held = proxy.holdReplies();
    const put = store.put("k", "2");
    await held.arrived();
    await between(session);
    proxy.resume();
    return put;
  }

  it("a session that ends in between takes nothing with it", async () => {
    const pair = await putWith((session) =>
      httpOk(`${server.endpoint}/v1/session/destroy/${session}`, { method: "PUT" }),
    );
    expect(await store.get("k")).toMatchObject({ revision: pair.revision });
    expect((await store.get("k"))?.text()).toBe("2");
  });

  it("a write that comes in between stays", async () => {
    let later = 0n;
    const pair = await putWith(async () => {
      later = (await another.put("k", "3")).revision;
    });
    expect(pair.revision).toBeLessThan(later);
    expect((await store.get("k"))?.text()).toBe("3");
    expect(await sessionOf("k")).toBeUndefined();
  });

  it("more reads than the servers take in a transaction: their limit is learned once", async () => {
    const keys = Array.from({ length: 100 }, (_, at) => `k${at}`);
    await Promise.all(keys.map((key) => another.put(key, key)));
    const readAll = async (): Promise<void> => {
      const pairs = await Promise.all(keys.map((key) => store.get(key)));
      expect(pairs.map((pair) => pair?.text())).toEqual(keys);
    };
    // Consul 1.8 takes 64, and refuses the first transaction of 100.
    expect(await requestsOf(readAll)).toBe(3);
    expect(await requestsOf(readAll)).toBe(2);
  });

  it("a get alone and a get among others say the same of odd keys", async () => {
    const keys = ["with space", "per%cent", "a?b&c=d#e", "ünï", "a/b", "日本", "x/\u{1f600}", "back\\slash", "+;,"];
    for (const key of keys) await store.put(key, key);
    for (const key of keys) expect((await store.get(key))?.text(), key).toBe(key);
    const together = await Promise.all(keys.map((key) => store.get(key)));
    expect(together.map((pair) => pair?.text())).toEqual(keys);
    expect(await store.exists("a/b")).toBe(true);
    expect(await store.exists("a")).toBe(false);
    // By paths too, and not as patterns.
    for (const key of keys) {
      const watch = store.watch(key)[Symbol.asyncIterator]();
      expect((await watch.next()).value?.text(), key).toBe(key);
      await watch.return?.();
    }
    expect((await store.keys("")).toSorted()).toEqual(keys.toSorted());
  });

  it("what Consul refuses in a path is refused before anything is sent", async () => {
    const refused = { code: "NOT_SUPPORTED" };
    const before = proxy.count.requests;
    for (const key of ["no\u00a0break", "private/\ue000", "zero\u200bwidth", "\u2028"]) {
      await expect(store.put(key, "1"), key).rejects.toMatchObject(refused);
      await expect(store.get(key), key).rejects.toMatchObject(refused);
      await expect(store.list(key), key).rejects.toMatchObject(refused);
      const watch = store.watchTree(key)[Symbol.asyncIterator]();
      await expect(watch.next(), key).rejects.toMatchObject(refused);
    }
    expect(proxy.count.requests).toBe(before);
    await expect(connectConsul({ endpoints: [server.hosts], prefix: "\u00a0" })).rejects.toMatchObject(refused);
    expect(store.capabilities.keys.refuses).toHaveLength(1);
  });
});
