import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isStoreError } from "../../src/core/errors.js";
import { type Acl, digestId, permissions } from "../../src/zookeeper/client/index.js";
import { connectZookeeper, type ZookeeperStore } from "../../src/zookeeper/index.js";
import { skipped, startZooKeeper, type ZooKeeperServer } from "../servers/index.js";

const { read, write, create, delete: remove, all } = permissions;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.skipIf(skipped("zookeeper"))("a ZooKeeper store that may not do everything", () => {
  let server: ZooKeeperServer;
  let admin: ZookeeperStore;
  let app: ZookeeperStore;
  let directories = 0;

  beforeAll(async () => {
    server = await startZooKeeper();
    const open = (username: string): Promise<ZookeeperStore> =>
      connectZookeeper({
        endpoints: server.hosts,
        auth: { username, password: "pw" },
        acl: [mayDo("admin", all), mayDo("app", all)],
        sessionTimeoutMs: 3_000,
      });
    admin = await open("admin");
    app = await open("app");
    await Promise.all(Array.from({ length: 2_000 }, (_, at) => admin.put(`guards/${at}`, "")));
  });
  afterAll(async () => {
    await app.close();
    await admin.close();
    await server.close();
  });

  function mayDo(user: string, permissions: number): Acl {
    return { permissions, scheme: "digest", id: digestId(user, "pw") };
  }

  /** A directory with keys `k` and `l`, with these permissions for the app. */
  async function directory(onDirectory: number, onKeys: number): Promise<string> {
    const path = `d${++directories}`;
    const keyAcl = [mayDo("admin", all), mayDo("app", onKeys)];
    await admin.client.create(`/${path}`, null);
    for (const key of ["k", "l"]) {
      await admin.client.create(`/${path}/${key}`, null, { acl: keyAcl });
      await admin.client.setData(`/${path}/${key}`, bytes("1"));
    }
    await admin.client.setAcl(`/${path}`, [mayDo("admin", all), mayDo("app", onDirectory)]);
    return path;
  }

  async function expectDenied(...calls: Promise<unknown>[]): Promise<void> {
    for (const end of await Promise.allSettled(calls)) {
      expect(end).toMatchObject({ status: "rejected", reason: { code: "PERMISSION_DENIED" } });
    }
  }

  it("reads with READ", async () => {
    const path = await directory(read, read);
    expect((await app.get(`${path}/k`))?.text()).toBe("1");
    expect(await app.exists(`${path}/k`)).toBe(true);
    expect(await app.keys(path)).toEqual([`${path}/k`, `${path}/l`]);
    for await (const { pairs } of app.watchTree(path)) {
      expect(pairs).toHaveLength(2);
      break;
    }
    const pair = await app.get(`${path}/k`);
    await expectDenied(
      app.put(`${path}/k`, "2"),
      app.put(`${path}/new`, "2"),
      app.delete(`${path}/k`),
      app.atomicPut(`${path}/l`, "2", { revision: (await app.get(`${path}/l`))!.revision }),
      app.deleteTree(path),
      app.newLock(`${path}/lock`).tryLock(),
    );
    await expectDenied(app.atomic().check(`${path}/k`, pair).put(`${path}/k`, "2").commit());
    expect((await admin.get(`${path}/k`))?.text()).toBe("1");
  });

  it("puts what is there with WRITE on it, alone and in a batch with what it may not", async () => {
    const path = await directory(0, write);
    await Promise.all([app.put(`${path}/k`, "2"), app.put(`${path}/l`, "2")]);
    await app.put(`${path}/k`, "3");
    const forbidden = await directory(0, 0);
    const ends = await Promise.allSettled([
      app.put(`${path}/k`, "4"),
      app.put(`${forbidden}/k`, "4"),
      app.put(`${path}/l`, "4"),
    ]);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect((await admin.get(`${path}/l`))?.text()).toBe("4");
    expect((await admin.get(`${forbidden}/k`))?.text()).toBe("1");
    await expectDenied(app.get(`${path}/k`), app.watch(`${path}/k`)[Symbol.asyncIterator]().next(), app.list(path));
  });

  it("creates with CREATE on the directory, and deletes with DELETE on it", async () => {
    const path = await directory(create, 0);
    await app.put(`${path}/new`, "1");
    await app.atomicPut(`${path}/absent`, "1", null);
    await expectDenied(app.delete(`${path}/new`));
    const other = await directory(remove, 0);
    expect(await app.delete(`${other}/k`)).toBe(true);
    await expectDenied(app.put(`${other}/new`, "1"));
  });

  it("does everything with all of it on a directory of its own", async () => {
    const path = await directory(read | create | remove, read | write);
    const own = await connectZookeeper({
      endpoints: server.hosts,
      auth: { username: "app", password: "pw" },
      prefix: path,
      sessionTimeoutMs: 3_000,
    });
    await own.put("ttl", "1", { ttlMs: 5_000 });
    await own.put("ttl", "2");
    await own.update("k", (pair) => `${pair?.text()}+`);
    await own.atomic().check("absent", null).put("a/b", "1").delete("l").commit();
    const hold = await own.newLock("lock").lock();
    await hold.unlock();
    await own.ping();
    expect(await own.keys("")).toEqual(["a/b", "k", "ttl"]);
    expect(await own.deleteTree("", { root: true })).toBe(3);
    await own.close();
  });

  it("needs nothing of the directories above its own, once the guards can be made", async () => {
    const closed = await startZooKeeper({ own: true });
    const store = await connectZookeeper({ endpoints: closed.hosts, prefix: "ours/mine" });
    await store.client.create("/ours");
    await store.client.create("/ours/mine");
    await store.client.create("/___lock");
    for (const path of ["/ours", "/"]) {
      await store.client.setAcl(path, [{ permissions: read, scheme: "world", id: "anyone" }]);
    }
    await store.put("a/b", "1", { ttlMs: 20_000 });
    await store.put("a/b", "2");
    const hold = await store.newLock("d/e/lock").lock();
    await hold.unlock();
    expect(await store.keys("")).toEqual(["a/b"]);
    expect(await store.deleteTree("", { root: true })).toBe(1);
    await store.close();
    await closed.close();
  });

  it("says which node it may not create where the root is closed", async () => {
    const closed = await startZooKeeper({ own: true });
    const store = await connectZookeeper({ endpoints: closed.hosts, prefix: "mine" });
    await store.client.create("/mine");
    await store.client.setAcl("/", [{ permissions: read, scheme: "world", id: "anyone" }]);
    const error: unknown = await store.put("k", "1").catch((reason: unknown) => reason);
    expect(isStoreError(error, "PERMISSION_DENIED")).toBe(true);
    expect(String(error)).toContain("/___lock");
    await store.close();
    await closed.close();
  });
});
