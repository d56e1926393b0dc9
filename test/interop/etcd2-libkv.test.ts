import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectEtcd2, type Etcd2Store } from "../../src/etcd2/index.js";
import { type EtcdServer, startEtcd } from "../servers/index.js";
import { Libkv } from "./support/libkv.js";

describe.each(["3.3", "3.4"])("Kvasir and Go's libkv share an etcd %s by the v2 API", (version) => {
  let server: EtcdServer;
  let store: Etcd2Store;
  let libkv: Libkv;

  beforeAll(async () => {
    server = await startEtcd({ own: true, version, v2: true });
    store = await connectEtcd2({ endpoints: server.hosts });
  });
  beforeEach(async () => {
    await store.deleteTree("", { root: true });
    await libkv?.kill();
    libkv = await Libkv.open("-backend=etcd", server.hosts);
  });
  afterAll(async () => {
    await libkv?.kill();
    await store?.close();
    await server?.close();
  });

  it("each reads what the other wrote: keys, text, and the revision as the index", async () => {
    const ours = await store.put("a/b", "von uns: ü, 日本, %25 + & =");
    await store.put("a/empty", "");
    expect(await libkv.ok("get", "a/b")).toEqual({
      pairs: [{ key: "a/b", value: Buffer.from(ours.value).toString("hex"), index: ours.revision.toString() }],
    });
    expect((await libkv.ok("exists", "a/empty")).exists).toBe(true);
    // One level deep, and with a slash before: that is libkv's way.
    expect(await libkv.list("a")).toEqual([`/a/b=${ours.text()}`, "/a/empty="]);

    await libkv.ok("put", "a/c", { value: "by libkv: <>&\u2028 +%" });
    await libkv.ok("put", "/deep/er/key/", { value: "1" });
    const theirs = await store.get("a/c");
    expect(theirs?.text()).toBe("by libkv: <>&\u2028 +%");
    expect((await libkv.ok("get", "a/c")).pairs![0]!.index).toBe(theirs!.revision.toString());
    expect(await store.keys("")).toEqual(["a/b", "a/c", "a/empty", "deep/er/key"]);
    await libkv.ok("delete", "a/b");
    expect(await store.get("a/b")).toBeUndefined();
    expect(await store.delete("a/c")).toBe(true);
    expect((await libkv.call("get", "a/c")).error).toMatch(/not found/i);
  });

  it("compare-and-set by one notices what the other changed", async () => {
    const ours = await store.put("k", "ours");
    await libkv.ok("atomicPut", "k", { value: "theirs", previous: ours.revision.toString() });
    await expect(store.atomicPut("k", "late", ours)).rejects.toMatchObject({ code: "KEY_MODIFIED", key: "k" });
    const seen = await store.get("k");
    expect(seen?.text()).toBe("theirs");
    await store.atomicPut("k", "ours again", seen);
    const late = await libkv.call("atomicPut", "k", { value: "late", previous: seen!.revision.toString() });
    expect(late.error).toMatch(/modified/);
    expect((await libkv.call("atomicPut", "k", { value: "new" })).error).toMatch(/exists/);
    await expect(store.atomicDelete("k", seen!)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
    expect((await libkv.call("atomicDelete", "k", { previous: seen!.revision.toString() })).error).toMatch(/modified/);
    await store.atomicDelete("k", (await store.get("k"))!);
    expect((await libkv.ok("exists", "k")).exists).toBe(false);
  });

  it("watches see what libkv does: puts, a ttl that runs out, a directory deleted by one event", async () => {
    const tree = store.watchTree("t")[Symbol.asyncIterator]();
    await tree.next();
    const seen: string[] = [];
    const follow = (async () => {
      for (let item = await tree.next(); item.done !== true; item = await tree.next()) {
        for (const { type, key } of item.value.changes) seen.push(`${type} ${key}`);
        if (seen.includes("put t/end")) return;
      }
    })();
    await libkv.ok("put", "t/short", { value: "1", ttl: 1 });
    await libkv.ok("put", "t/d/1", { value: "1" });
    await libkv.ok("put", "t/d/2", { value: "1" });
    await libkv.ok("deleteTree", "t/d");
    await expect.poll(() => store.exists("t/short"), { timeout: 10_000 }).toBe(false);
    await libkv.ok("put", "t/end", { value: "1" });
    await follow;
    expect(seen.slice(0, 3)).toEqual(["put t/short", "put t/d/1", "put t/d/2"]);
    expect(seen.slice(3, 5).sort()).toEqual(["delete t/d/1", "delete t/d/2"]);
    expect(seen.slice(5)).toEqual(["delete t/short", "put t/end"]);
    await tree.return?.();
    // And libkv finds ours gone when their ttl is over.
    await store.put("ours", "1", { ttlMs: 1_000 });
    expect((await libkv.ok("exists", "ours")).exists).toBe(true);
    await expect.poll(async () => (await libkv.ok("exists", "ours")).exists, { timeout: 10_000 }).toBe(false);
  });

  it("a lock of Kvasir's excludes libkv, for longer than its ttl, and goes over to it", async () => {
    const hold = await store.newLock("jobs/lock", { value: "kvasir", ttlMs: 2_000 }).lock();
    let theirs = false;
    const waiting = libkv.ok("lock", "jobs/lock", { value: "libkv", ttl: 3 }).then(() => {
      theirs = true;
    });
    const renewed = async () => (await store.get("jobs/lock"))!.revision - hold.token;
    const first = await renewed();
    await expect.poll(renewed, { timeout: 10_000, interval: 500 }).toBeGreaterThan(first + 4n);
    expect(hold.held).toBe(true);
    expect(theirs).toBe(false);
    await hold.unlock();
    await waiting;
    expect((await store.get("jobs/lock"))?.text()).toBe("libkv");
    expect(await store.newLock("jobs/lock").tryLock()).toBeUndefined();
    await libkv.ok("unlock", "jobs/lock");
    expect(await store.get("jobs/lock")).toBeUndefined();
  });

  it("a lock of libkv's excludes Kvasir, for longer than its ttl, and goes over to it", async () => {
    await libkv.ok("lock", "jobs/lock", { value: "libkv", ttl: 2 });
    const lock = store.newLock("jobs/lock", { value: "kvasir", ttlMs: 3_000 });
    expect(await lock.tryLock()).toBeUndefined();
    let ours = false;
    const waiting = lock.lock().then((hold) => {
      ours = true;
      return hold;
    });
    // libkv renews by compare-and-swap, which wakes those who wait each time.
    const { revision: first } = (await store.get("jobs/lock"))!;
    await expect
      .poll(async () => (await store.get("jobs/lock"))!.revision, { timeout: 10_000, interval: 500 })
      .toBeGreaterThan(first + 4n);
    expect(ours).toBe(false);
    expect((await libkv.ok("held", "jobs/lock")).held).toBe(true);
    await libkv.ok("unlock", "jobs/lock");
    const hold = await waiting;
    expect((await store.get("jobs/lock"))?.text()).toBe("kvasir");
    expect(hold.token).toBeGreaterThan(first);
    await hold.unlock();
  });

  it("the lock of a libkv that died is had when its ttl is over; one that lost its key is told", async () => {
    await libkv.ok("lock", "jobs/lock", { value: "libkv", ttl: 2 });
    await libkv.kill();
    const hold = await store.newLock("jobs/lock", { ttlMs: 5_000 }).lock();
    expect(hold.held).toBe(true);
    await hold.unlock();

    libkv = await Libkv.open("-backend=etcd", server.hosts);
    await libkv.ok("lock", "jobs/lock", { value: "libkv", ttl: 2 });
    await store.delete("jobs/lock");
    const next = (await store.newLock("jobs/lock", { ttlMs: 5_000 }).tryLock())!;
    await expect.poll(async () => (await libkv.ok("held", "jobs/lock")).held, { timeout: 10_000 }).toBe(false);
    expect(next.held).toBe(true);
    await next.unlock();
  });
});
