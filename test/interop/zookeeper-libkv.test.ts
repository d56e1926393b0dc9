import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectZookeeper, type ZookeeperStore } from "../../src/zookeeper/index.js";
import { startZooKeeper, type ZooKeeperServer } from "../servers/index.js";
import { Libkv } from "./support/libkv.js";

describe("Kvasir and Go's libkv share a ZooKeeper", () => {
  let server: ZooKeeperServer;
  let store: ZookeeperStore;
  /** A store whose locks queue where libkv's do. */
  let sharing: ZookeeperStore;
  let libkv: Libkv;

  const openLibkv = (): Promise<Libkv> => Libkv.open("-backend=zk", "-timeout=4s", server.hosts);

  beforeAll(async () => {
    server = await startZooKeeper({ own: true });
    store = await connectZookeeper({ endpoints: server.hosts });
    sharing = await connectZookeeper({ endpoints: server.hosts, lockLayout: "libkv" });
  });
  beforeEach(async () => {
    await store.deleteTree("", { root: true });
    await libkv?.kill();
    libkv = await openLibkv();
  });
  afterAll(async () => {
    await libkv?.kill();
    await Promise.all([store?.close(), sharing?.close()]);
    await server?.close();
  });

  it("each reads what the other wrote: keys, bytes, and the version in the revision", async () => {
    const ours = await store.put("a/b", new Uint8Array([0, 1, 255, 254]));
    await store.put("a/empty", "");
    const { pairs } = await libkv.ok("get", "a/b");
    expect(pairs).toEqual([{ key: "a/b", value: "0001fffe", index: String(ours.revision & 0xffffffffn) }]);
    expect((await libkv.ok("exists", "a/empty")).exists).toBe(true);
    await libkv.ok("put", "a/c", { value: "by libkv: ü" });
    await libkv.ok("put", "deep/er/key", { value: "1" });
    // One level deep, and bare names: that is libkv's way.
    // ZooKeeper lists children in no particular order.
    expect((await libkv.list("a")).toSorted().slice(1)).toEqual(["c=by libkv: ü", "empty="]);
    const theirs = await store.get("a/c");
    expect(theirs?.text()).toBe("by libkv: ü");
    expect((await libkv.ok("get", "a/c")).pairs![0]!.index).toBe(String(theirs!.revision & 0xffffffffn));
    // What libkv made on the way to its keys is no key.
    expect(await store.keys("")).toEqual(["a/b", "a/c", "a/empty", "deep/er/key"]);
    await libkv.ok("delete", "a/b");
    expect(await store.get("a/b")).toBeUndefined();
    expect(await store.delete("a/c")).toBe(true);
    expect((await libkv.call("get", "a/c")).error).toMatch(/not found/i);
    await libkv.ok("deleteTree", "a");
    expect(await store.keys("a")).toEqual([]);
  });

  it("compare-and-set by one notices what the other changed", async () => {
    const version = (revision: bigint): string => String(revision & 0xffffffffn);
    const ours = await store.put("k", "ours");
    await libkv.ok("atomicPut", "k", { value: "theirs", previous: version(ours.revision) });
    await expect(store.atomicPut("k", "late", ours)).rejects.toMatchObject({ code: "KEY_MODIFIED", key: "k" });
    const seen = (await store.get("k"))!;
    expect(seen.text()).toBe("theirs");
    await store.atomicPut("k", "ours again", seen);
    const late = await libkv.call("atomicPut", "k", { value: "late", previous: version(seen.revision) });
    expect(late.error).toMatch(/modified/i);
    expect((await libkv.call("atomicPut", "k", { value: "new" })).error).toMatch(/exists/i);
    await expect(store.atomicPut("k", "new", null)).rejects.toMatchObject({ code: "KEY_EXISTS" });
    await store.atomicDelete("k", (await store.get("k"))!);
    expect((await libkv.ok("exists", "k")).exists).toBe(false);
    // Created with its value at once, at version 0: a key for us too.
    await libkv.ok("atomicPut", "k", { value: "created" });
    expect((await store.get("k"))?.text()).toBe("created");
    await expect(store.atomicPut("k", "new", null)).rejects.toMatchObject({ code: "KEY_EXISTS" });
    await store.atomicPut("k", "swapped", await store.get("k"));
  });

  it("watches see what libkv does, and a ttl of libkv's ends with its process", async () => {
    const tree = store.watchTree("t")[Symbol.asyncIterator]();
    await tree.next();
    const seen: string[] = [];
    const until = async (last: string): Promise<void> => {
      while (!seen.includes(last)) {
        const { value } = await tree.next();
        for (const { type, key } of value.changes) seen.push(`${type} ${key}`);
      }
    };
    await libkv.ok("put", "t/short", { value: "1", ttl: 4 });
    await until("put t/short");
    await libkv.ok("put", "t/long/er", { value: "1" });
    await until("put t/long/er");
    await libkv.ok("delete", "t/long/er");
    await until("delete t/long/er");
    await libkv.kill();
    await until("delete t/short");
    expect(await store.keys("t")).toEqual([]);
    await tree.return?.();
  });

  it("a put of ours makes libkv's ephemeral key a permanent one", async () => {
    await libkv.ok("put", "e", { value: "1", ttl: 4 });
    expect((await store.get("e"))?.text()).toBe("1");
    await store.put("e", "kept");
    const gone = store.watch("e")[Symbol.asyncIterator]();
    await gone.next();
    await libkv.kill();
    const other = await openLibkv();
    await other.ok("put", "after", { value: "1" });
    expect((await other.ok("get", "e")).pairs).toMatchObject([{ value: Buffer.from("kept").toString("hex") }]);
    await gone.return?.();
    await other.kill();
  });

  // libkv's place is below the key; and to meet us in ours, libkv locks the queue beside it.
  it.each([
    ["libkv", "lock"],
    ["kvasir", "lock___lock"],
  ] as const)("locks exclude each other, in the layout of %s", async (layout, theirKey) => {
    const mine = layout === "libkv" ? sharing : store;
    const hold = await mine.newLock("lock", { value: "ours" }).lock();
    let libkvHolds = false;
    const waiting = libkv.ok("lock", theirKey, { value: "theirs" }).then(() => (libkvHolds = true));
    await expect.poll(() => contenders(layout)).toHaveLength(2);
    expect(libkvHolds).toBe(false);
    if (layout === "libkv") expect((await libkvGet("lock")) ?? "").toBe("ours");
    await hold.unlock();
    await waiting;
    expect(await mine.newLock("lock").tryLock()).toBeUndefined();
    const next = mine.newLock("lock", { value: "ours again" }).lock();
    await expect.poll(() => contenders(layout)).toHaveLength(2);
    await libkv.ok("unlock", theirKey);
    const again = await next;
    expect(again.token).toBeGreaterThan(hold.token);
    // A holder of libkv's that dies makes way as well.
    const dying = libkv.ok("lock", theirKey, { value: "theirs" });
    await expect.poll(() => contenders(layout)).toHaveLength(2);
    await again.unlock();
    await dying;
    const last = mine.newLock("lock").lock();
    await libkv.kill();
    await (await last).unlock();
  });

  async function contenders(layout: "libkv" | "kvasir"): Promise<string[]> {
    const { children } = await store.client.getChildren(layout === "libkv" ? "/lock" : "/lock___lock");
    return children.filter((name) => name.includes("-lock-"));
  }

  /** By another connection of libkv's, as one that waits for a lock answers nothing else. */
  async function libkvGet(key: string): Promise<string | undefined> {
    const other = await openLibkv();
    const { pairs } = await other.ok("get", key);
    await other.kill();
    return pairs && Buffer.from(pairs[0]!.value, "hex").toString();
  }
});
