import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/core/store.js";
import { connectEtcd2, type Etcd2Store } from "../../src/etcd2/index.js";
import { type EtcdServer, skipped, startEtcd } from "../servers/index.js";
import { httpOk } from "../servers/http-request.js";

/** What a role may read and write, as patterns of the v2 API's own users and roles. */
interface Rights {
  read?: string[];
  write?: string[];
}

describe.skipIf(skipped("etcd"))("the least permissions that calls on etcd v2 need", () => {
  const auth = { user: "admin", password: "secret" };
  let server: EtcdServer;
  let admin: Etcd2Store;
  let store: Etcd2Store;

  beforeAll(async () => {
    server = await startEtcd({ own: true, version: "3.3", v2: true, auth });
    const everything = { kv: { read: ["/*"], write: ["/*"] } };
    await ask("roles/guest", { role: "guest", revoke: everything });
    await ask("roles/app", { role: "app", permissions: { kv: { read: [], write: [] } } });
    await ask("users/app", { user: "app", password: "app", roles: ["app"] });
    admin = await connectEtcd2({ endpoints: server.hosts, auth: { username: "admin", password: "secret" } });
  });
  beforeEach(async () => {
    await admin.deleteTree("", { root: true });
    await store?.close();
    store = await connectEtcd2({ endpoints: server.hosts, auth: { username: "app", password: "app" } });
  });
  afterAll(async () => {
    await store?.close();
    await admin?.close();
    await server?.close();
  });

  async function ask(path: string, body: unknown): Promise<string> {
    const authorization = `Basic ${Buffer.from("root:secret").toString("base64")}`;
    const headers = { authorization, "content-type": "application/json" };
    return httpOk(`${server.endpoint}/v2/auth/${path}`, { method: "PUT", headers, body: JSON.stringify(body) });
  }

  /** Runs `body` with these rights and no others. */
  async function allowed(rights: Rights, body: (store: Store) => Promise<void>): Promise<void> {
    const kv = { read: rights.read ?? [], write: rights.write ?? [] };
    await ask("roles/app", { role: "app", grant: { kv } });
    try {
      await body(store);
    } finally {
      await ask("roles/app", { role: "app", revoke: { kv } });
    }
  }

  async function denied(call: () => Promise<unknown>): Promise<void> {
    await expect(call()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  }

  it("get, exists, watch and a check alone: to read the key", async () => {
    await admin.put("d/k", "1");
    await allowed({ read: ["/d/k"] }, async (app) => {
      const pair = await app.get("d/k");
      expect(pair?.text()).toBe("1");
      expect((await app.get("d/k", { consistency: "stale" }))?.text()).toBe("1");
      expect(await app.exists("d/k")).toBe(true);
      expect((await app.watch("d/k")[Symbol.asyncIterator]().next()).value?.text()).toBe("1");
      await app.atomic().check("d/k", pair).commit();
      await denied(() => app.get("d/other"));
      await denied(() => app.put("d/k", "2"));
      await denied(() => app.list("d"));
    });
    await denied(() => store.get("d/k"));
  });

  it("list, keys, scan and watchTree: to read the directory and what is in it", async () => {
    await admin.put("d/k", "1");
    await allowed({ read: ["/d*"] }, async (app) => {
      expect((await app.list("d")).map(({ key }) => key)).toEqual(["d/k"]);
      expect(await app.keys("d", { depth: 1 })).toEqual(["d/k"]);
      for await (const { key } of app.scan("d")) expect(key).toBe("d/k");
      const tree = app.watchTree("d")[Symbol.asyncIterator]();
      expect((await tree.next()).value?.pairs).toHaveLength(1);
      await tree.return?.();
      await denied(() => app.deleteTree("d"));
    });
    // The server does not count the directory itself among what this pattern names.
    await allowed({ read: ["/d/*"] }, (app) => denied(() => app.list("d")));
  });

  it("put, delete, compare-and-set and a ttl: to write the key", async () => {
    await allowed({ write: ["/d/k"] }, async (app) => {
      const pair = await app.put("d/k", "1");
      const swapped = await app.atomicPut("d/k", "2", pair);
      await expect(app.atomicPut("d/k", "3", null)).rejects.toMatchObject({ code: "KEY_EXISTS" });
      await expect(app.atomicPut("d/k", "3", pair)).rejects.toMatchObject({ code: "KEY_MODIFIED" });
      await app.atomicDelete("d/k", swapped);
      await app.put("d/k", "1", { ttlMs: 10_000, keepAlive: true });
      expect(await app.delete("d/k")).toBe(true);
      await denied(() => app.get("d/k"));
      await denied(() => app.put("d/other", "1"));
    });
  });

  it("deleteTree: to read and write the directory and what is in it", async () => {
    await admin.put("d/k", "1");
    await allowed({ read: ["/d*"], write: ["/d*"] }, async (app) => expect(await app.deleteTree("d")).toBe(1));
  });

  it("a lock: to write its key, and to read it where another may hold it", async () => {
    await allowed({ write: ["/d/k"] }, async (app) => {
      const hold = await app.newLock("d/k").lock();
      await denied(() => app.newLock("d/k").tryLock());
      await hold.unlock();
    });
    await allowed({ read: ["/d/k"], write: ["/d/k"] }, async (app) => {
      const hold = await admin.newLock("d/k").lock();
      expect(await app.newLock("d/k").tryLock()).toBeUndefined();
      const waiting = app.newLock("d/k").lock();
      await hold.unlock();
      await (await waiting).unlock();
    });
  });

  it("a key where a directory was left behind: to read and write that, and to take the right to clear it", async () => {
    await admin.put("d/k/gone", "1");
    await admin.delete("d/k/gone");
    await allowed({ read: ["/d/k*"], write: ["/d/k*"] }, (app) => denied(() => app.put("d/k", "1")));
    await allowed({ read: ["/d/k*"], write: ["/d/k*", "/_kvasir-clear-*"] }, async (app) => {
      await app.put("d/k", "1");
    });
    expect((await admin.get("d/k"))?.text()).toBe("1");
  });
});
