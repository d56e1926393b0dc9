import { describe, expect, it } from "vitest";
import { connect } from "../../src/connect.js";
import { creatorAcl, permissions } from "../../src/zookeeper/client/index.js";
import { connectZookeeper, ZookeeperStore } from "../../src/zookeeper/index.js";
import { createProxy, skipped, startZooKeeper, testCertificates } from "../servers/index.js";

describe.skipIf(skipped("zookeeper"))("connect to ZooKeeper", () => {
  it("takes hosts, credentials, a prefix and options from a URL", async () => {
    const server = await startZooKeeper();
    const options = "sessionTimeoutMs=4000&lockLayout=libkv";
    const url = `zk://app:p%40ss%20word@127.0.0.1:1,${server.hosts}/some/where?${options}`;
    const store = (await connect(url, { acl: creatorAcl })) as ZookeeperStore;
    try {
      expect(store).toBeInstanceOf(ZookeeperStore);
      expect(store.capabilities.ttl.minimumMs).toBe(4_000);
      await store.put("k", "1");
      const { acl } = await store.client.getAcl("/some/where/k");
      expect(acl).toEqual([
        { permissions: permissions.all, scheme: "digest", id: expect.stringMatching(/^app:/) as string },
      ]);
      expect(await store.keys("")).toEqual(["k"]);
      const hold = await store.newLock("lock").lock();
      const { children } = await store.client.getChildren("/some/where/lock");
      expect(children).toEqual([expect.stringMatching(/^_c_[0-9a-f]{32}-lock-\d{10}$/)]);
      expect(await store.keys("")).toEqual(["k", "lock"]);
      await hold.unlock();
      expect(await store.get("lock")).toBeUndefined();
      expect(await store.keys("")).toEqual(["k"]);
      // Without the credentials there is nothing to see.
      const other = await connect(`zookeeper://${server.hosts}/some/where`);
      await expect(other.get("k")).rejects.toMatchObject({ code: "PERMISSION_DENIED", key: "k" });
      await other.close();
    } finally {
      await store.close();
      await server.close();
    }
  });

  it("speaks TLS for zks:, with certificates from files or as they are", async () => {
    const server = await startZooKeeper({ tls: "mutual" });
    const { ca, clientCert, clientKey } = await testCertificates();
    const files = new URLSearchParams({ caFile: ca, certFile: clientCert, keyFile: clientKey });
    const { tls } = server;
    const ways = [
      () => connect(`zks://${server.hosts}/tls?${files.toString()}`),
      () => connect(`zks://${server.hosts}/tls`, { tls }),
      () => connect({ backend: "zookeeper", endpoints: server.hosts, prefix: "tls", tls }),
    ];
    try {
      for (const open of ways) {
        const store = await open();
        await store.put("k", "1");
        expect((await store.get("k"))?.text()).toBe("1");
        await store.close();
      }
      const quick = { connectTimeoutMs: 500 };
      await expect(connect(`zk://${server.hosts}`, quick)).rejects.toMatchObject({ code: "UNREACHABLE" });
      await expect(connect(`zks://${server.hosts}`, quick)).rejects.toMatchObject({ code: "UNREACHABLE" });
    } finally {
      await server.close();
    }
  });

  it("gives a lock whose ttl outlasts the store's session one of its own", async () => {
    const server = await startZooKeeper();
    const proxy = await createProxy(server.endpoint);
    const store = await connectZookeeper({ endpoints: proxy.host, sessionTimeoutMs: 2_000 });
    try {
      const [short, long] = [store.newLock("short", { ttlMs: 2_000 }), store.newLock("long", { ttlMs: 20_000 })];
      const holds = [await short.lock(), await long.lock(), await store.newLock("third", { ttlMs: 20_000 }).lock()];
      expect(holds.map(({ ttlMs }) => ttlMs)).toEqual([2_000, 20_000, 20_000]);
      const owners = [];
      for (const key of ["short", "long", "third"]) {
        owners.push((await store.client.getData(`/${key}`)).stat.ephemeralOwner);
      }
      expect(owners[1]).not.toBe(owners[0]);
      expect(owners[2]).toBe(owners[1]);
      // Cut off for longer than the one session lives, and not the other.
      const lost = new Promise((resolve) => holds[0]!.signal.addEventListener("abort", resolve));
      proxy.stall("both");
      await lost;
      expect(holds.map(({ held }) => held)).toEqual([false, true, true]);
      proxy.resume();
      proxy.cut();
      await long.unlock();
      expect(await store.get("long")).toBeUndefined();
    } finally {
      await store.close();
      await proxy.close();
      await server.close();
    }
  });

  it.each([
    ["zk://", "needs endpoints"],
    ["zk://h:99999", "99999"],
    ["zk://h/?caFile=/tmp/ca.pem", "write zks:"],
    ["zks://h/?caFile=/nowhere/ca.pem", "cannot be read"],
    ["zk://h/?lockLayout=none", "lockLayout is kvasir or libkv"],
    ["zk://h/?timeout=3", "unknown in a zk: URL: timeout"],
    ["zk://u:secret@h/a/../b", "not a usable key"],
  ])("refuses %s", async (url, why) => {
    const error: unknown = await connect(url, { connectTimeoutMs: 300 }).catch((reason: unknown) => reason);
    expect(String(error)).toContain(why);
    expect(String(error)).not.toContain("secret");
  });

  it("says so when nobody answers", async () => {
    const connecting = connect("zk://127.0.0.1:1", { connectTimeoutMs: 300 });
    await expect(connecting).rejects.toMatchObject({ code: "UNREACHABLE", endpoint: "127.0.0.1:1" });
  });
});
