import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { NodeExistsError, type ZooKeeperClient } from "../../src/zookeeper/client/index.js";
import { connectZookeeper, type ZookeeperStore } from "../../src/zookeeper/index.js";
import { skipped, startZooKeeper, type ZooKeeperServer } from "../servers/index.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.skipIf(skipped("zookeeper"))("nodes of a store on ZooKeeper", () => {
  let server: ZooKeeperServer;
  let store: ZookeeperStore;
  let client: ZooKeeperClient;
  let base: string;
  let prefixes = 0;

  beforeAll(async () => {
    server = await startZooKeeper({ version: process.env["KVASIR_TEST_ZOOKEEPER_VERSION"] });
  });
  beforeEach(async () => {
    const prefix = `nodes/${++prefixes}`;
    store = await connectZookeeper({ endpoints: server.hosts, prefix, sessionTimeoutMs: 3_000 });
    client = store.client;
    base = `/${prefix}`;
    return () => store.close();
  });
  afterAll(() => server.close());

  /** Creates a node and those above it, as other programs do. */
  async function make(path: string, data: Uint8Array | null): Promise<void> {
    const parent = path.slice(0, path.lastIndexOf("/"));
    if (parent !== "") await make(parent, null);
    await client.create(path, data).catch((error: unknown) => {
      if (!(error instanceof NodeExistsError)) throw error;
    });
  }

  it("keys have a version above 0, even empty ones, and directories hold nothing", async () => {
    await store.put("a/b", "");
    const key = await client.getData(`${base}/a/b`);
    expect(key.data?.length).toBe(0);
    expect(key.stat.version).toBeGreaterThan(0);
    const directory = await client.getData(`${base}/a`);
    expect(directory.data).toBeNull();
    expect(directory.stat.version).toBe(0);
    expect(await store.exists("a")).toBe(false);
    expect(await store.keys("")).toEqual(["a/b"]);
  });

  it("directories that others made empty are no keys, and their values are", async () => {
    await make(`${base}/empty`, bytes(""));
    await make(`${base}/null`, null);
    await make(`${base}/value`, bytes("x"));
    expect(await store.keys("")).toEqual(["value"]);
    expect(await store.get("empty")).toBeUndefined();
    expect(await store.exists("null")).toBe(false);
    expect((await store.get("value"))?.text()).toBe("x");
    expect((await store.atomicPut("empty", "now", null)).text()).toBe("now");
    expect((await store.put("null", "")).value.length).toBe(0);
    expect(await store.keys("")).toEqual(["empty", "null", "value"]);
    expect(await store.delete("value")).toBe(true);
  });

  it("a delete of a directory says that there was nothing, and leaves what is below it", async () => {
    await make(`${base}/empty`, null);
    await store.put("full/k", "1");
    expect(await store.delete("empty")).toBe(false);
    expect(await store.delete("full")).toBe(false);
    expect(await store.keys("")).toEqual(["full/k"]);
  });

  it("a deleted key with keys below it becomes a directory", async () => {
    const pair = await store.put("k", "1");
    await store.put("k/below", "2");
    expect(await store.delete("k")).toBe(true);
    expect((await client.getData(`${base}/k`)).data).toBeNull();
    expect(await store.delete("k")).toBe(false);
    expect(await store.keys("")).toEqual(["k/below"]);
    await expect(store.atomicPut("k", "3", pair)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    const again = await store.atomicPut("k", "3", null);
    expect(again.revision).toBeGreaterThan(pair.revision);
    await store.atomicDelete("k", again);
    expect(await store.keys("")).toEqual(["k/below"]);
  });

  it("one transaction may change a key and keys below it", async () => {
    await store.put("k", "1");
    await store.put("t", "1", { ttlMs: 30_000 });
    await store.atomic().put("k/below", "2").delete("k").put("t/below", "2").delete("t").commit();
    expect(await store.keys("")).toEqual(["k/below", "t/below"]);
    await store.atomic().put("n/a/b", "3").put("n/a", "4").put("n", "5").check("n/a/b", null).commit();
    expect((await store.list("n")).map((pair) => pair.text())).toEqual(["4", "3"]);
    await store.put("e", "1", { ttlMs: 30_000 });
    await store.atomic().put("e/below", "2").put("e", "permanent").commit();
    expect((await store.get("e"))?.text()).toBe("permanent");
    const below = store.atomic().put("f/below", "1").put("f", "2", { ttlMs: 30_000 }).commit();
    await expect(below).rejects.toMatchObject({ code: "NOT_SUPPORTED", outcome: "not-applied" });
    await store.atomic().delete("n/a/b").delete("n/a").delete("n").delete("absent").commit();
    expect(await store.keys("n")).toEqual([]);
  });

  it("directories go with the last key below them, others' values stay", async () => {
    await store.put("a/b/c/d", "1");
    await store.put("keep/k", "1");
    await make(`${base}/keep/value`, bytes("theirs"));
    // As valkeyrie leaves a key: with its value, at version 0.
    await make(`${base}/theirs`, bytes("x"));
    await store.put("theirs/k", "1");
    await store.delete("a/b/c/d");
    await store.delete("keep/k");
    await store.delete("theirs/k");
    expect((await store.get("theirs"))?.text()).toBe("x");
    expect((await client.exists(`${base}/a`)).stat).toBeUndefined();
    expect((await client.getData(`${base}/keep/value`)).data?.toString()).toBe("theirs");
    await store.put("t/u/v", "1");
    expect(await store.deleteTree("t/u")).toBe(1);
    expect((await client.exists(`${base}/t`)).stat).toBeUndefined();
    expect((await client.exists(base)).stat).toBeDefined();
  });

  it("a parent that vanishes while a key is created is made again", async () => {
    const other = await connectZookeeper({ endpoints: server.hosts, prefix: `nodes/${prefixes}` });
    const rounds = Array.from({ length: 40 }, (_, at) => at);
    // Whatever the one deletes, the directory goes with it; the other's key needs the directory.
    const creating = rounds.map(async (at) => {
      await store.put(`d/mine${at}`, "1");
      await store.delete(`d/mine${at}`);
    });
    const theirs = rounds.map((at) => other.put(`d/theirs${at}`, "1").then(() => other.delete(`d/theirs${at}`)));
    await Promise.all([...creating, ...theirs]);
    expect(await store.keys("")).toEqual([]);
    await other.close();
  });

  it("a compare-and-set is not fooled by a key that was deleted and made again", async () => {
    const old = await store.put("k", "1");
    const other = await connectZookeeper({ endpoints: server.hosts, prefix: `nodes/${prefixes}` });
    await other.delete("k");
    const fresh = await other.put("k", "2");
    expect(BigInt.asUintN(32, fresh.revision)).toBe(BigInt.asUintN(32, old.revision));
    await expect(store.atomicPut("k", "3", old)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    await expect(store.atomicDelete("k", old)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    const commit = store.atomic().check("k", old).put("l", "1").commit();
    await expect(commit).rejects.toMatchObject({ code: "KEY_MODIFIED", key: "k" });
    expect((await store.get("k"))?.text()).toBe("2");
    await other.close();
  });

  it("nor by one that went with a session", async () => {
    const open = () => connectZookeeper({ endpoints: server.hosts, prefix: `nodes/${prefixes}` });
    const [first, second] = [await open(), await open()];
    const guards = Array.from({ length: 256 }, (_, at) => `/___lock/guard-${at.toString(16).padStart(2, "0")}`);
    for (const guard of guards) await make(guard, null);
    // From this on the store knows the key's guard, and compares without reading first.
    await store.put("k", "0");
    await first.put("k", "1", { ttlMs: 30_000 });
    const old = (await store.get("k"))!;
    await first.close();
    // What makes it again need not be what deleted it.
    const fresh = await second.put("k", "2", { ttlMs: 30_000 });
    expect(BigInt.asUintN(32, fresh.revision)).toBe(BigInt.asUintN(32, old.revision));
    await expect(store.atomicPut("k", "3", old)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    await expect(store.atomicDelete("k", old)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    expect((await store.get("k"))?.text()).toBe("2");
    await second.close();
  });

  it("a ttl is taken from a key and given to it in one step", async () => {
    const other = await connectZookeeper({ endpoints: server.hosts, prefix: `nodes/${prefixes}` });
    await store.put("k", "0");
    const states: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const now of other.watch("k")) {
        states.push(now?.text());
        if (now?.text() === "end") return;
      }
    })();
    const owner = async (): Promise<bigint> => (await client.getData(`${base}/k`)).stat.ephemeralOwner;
    await store.put("k", "1", { ttlMs: 30_000 });
    expect(await owner()).not.toBe(0n);
    await other.put("k", "2");
    expect(await owner()).toBe(0n);
    await store.put("k", "3", { ttlMs: 30_000 });
    await store.put("k", "4");
    expect(await owner()).toBe(0n);
    await store.put("k", "end");
    await watching;
    expect(states).not.toContain(undefined);
    await other.close();
  });

  it("/zookeeper is not the store's", async () => {
    const root = await connectZookeeper({ endpoints: server.hosts });
    for (const key of ["zookeeper", "zookeeper/quota"]) {
      await expect(root.get(key)).rejects.toMatchObject({ code: "NOT_SUPPORTED" });
      await expect(root.put(key, "1")).rejects.toMatchObject({ code: "NOT_SUPPORTED", outcome: "not-applied" });
    }
    await root.put("zookeepers", "1");
    await store.put("k", "1");
    const keys = await root.keys("");
    expect(keys).toContain("zookeepers");
    expect(keys.filter((key) => key.startsWith("zookeeper/") || key.includes("___lock"))).toEqual([]);
    for await (const { pairs } of root.watchTree("")) {
      expect(pairs.map(({ key }) => key)).toEqual(keys);
      break;
    }
    expect(await root.deleteTree("", { root: true })).toBe(keys.length);
    expect((await root.client.exists("/zookeeper/quota")).stat).toBeDefined();
    await root.close();
  });

  it.each(["a\u{1F600}", "\uE000", "d/\uFFF0"])("refuses %j before sending", async (key) => {
    await expect(store.get(key)).rejects.toMatchObject({ code: "NOT_SUPPORTED", key });
    await expect(store.put(key, "1")).rejects.toMatchObject({ code: "NOT_SUPPORTED", outcome: "not-applied" });
  });

  it("takes the largest value under the longest key, and refuses a larger one before sending", async () => {
    const key = "k".repeat(1_024);
    const largest = new Uint8Array(store.capabilities.values.maxBytes).fill(7);
    await store.put(key, largest);
    const pair = await store.put(key, largest);
    await store.atomicPut(key, largest, pair);
    await store.put(key, largest, { ttlMs: 30_000 });
    expect((await store.get(key))?.value.length).toBe(largest.length);
    const refused = store.put(key, new Uint8Array(largest.length + 1));
    await expect(refused).rejects.toMatchObject({ code: "VALUE_TOO_LARGE", outcome: "not-applied" });
  });

  it("lists and deletes a tree while others write in it", async () => {
    const other = await connectZookeeper({ endpoints: server.hosts, prefix: `nodes/${prefixes}` });
    await Promise.all(Array.from({ length: 900 }, (_, at) => store.put(`t/${at % 9}/${at}`, "1")));
    const deleted = new AbortController();
    const writer = (async () => {
      for (let at = 0; !deleted.signal.aborted; at++) await other.put(`t/${at % 9}/${at % 100}/new`, "1");
    })();
    expect(await store.deleteTree("t")).toBeGreaterThanOrEqual(900);
    deleted.abort();
    await writer;
    const left = await store.keys("t");
    expect(left.filter((key) => !key.endsWith("/new"))).toEqual([]);
    expect(await store.deleteTree("t")).toBe(left.length);
    expect(await store.keys("")).toEqual([]);
    await other.close();
  });

  it("deleteTree leaves the queues of locks alone", async () => {
    await store.put("t/k", "1");
    const hold = await store.newLock("t/locked", { value: "mine" }).lock();
    expect(await store.deleteTree("t")).toBe(2);
    expect(hold.held).toBe(true);
    expect(await store.newLock("t/locked").tryLock()).toBeUndefined();
    await hold.unlock();
    expect(await store.keys("")).toEqual([]);
  });
});
