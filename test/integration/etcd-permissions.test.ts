import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StoreError } from "../../src/core/errors.js";
import { connectEtcd, type EtcdStore } from "../../src/etcd/index.js";
import { type EtcdServer, skipped, startEtcd } from "../servers/index.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.skipIf(skipped("etcd"))("an etcd store of a user who may not do everything", () => {
  let server: EtcdServer;
  let root: EtcdStore;
  let store: EtcdStore;

  beforeAll(async () => {
    server = await startEtcd({ auth: { user: "root", password: "secret" } });
    const auth = { username: "root", password: "secret" };
    root = await connectEtcd({ endpoints: server.endpoint, auth });
    const admin = root.client.auth;
    await admin.addUser("app", "pw");
    await admin.addRole("app");
    await admin.grantPermission("app", { type: "READWRITE", key: bytes("mine/"), rangeEnd: bytes("mine0") });
    await admin.grantRole("app", "app");
    store = await connectEtcd({ endpoints: server.endpoint, auth: { username: "app", password: "pw" } });
  });
  afterAll(async () => {
    await store.close();
    await root.close();
    await server.close();
  });

  async function codesOf(calls: Promise<unknown>[]): Promise<string[]> {
    const ends = await Promise.allSettled(calls);
    return ends.map((end) => (end.status === "fulfilled" ? "done" : (end.reason as StoreError).code));
  }

  it("has what is forbidden refused, and only that, in one batch", async () => {
    await root.put("theirs/k", "1");
    expect(await codesOf([store.put("mine/a", "1"), store.put("theirs/a", "1"), store.put("mine/b", "1")])).toEqual([
      "done",
      "PERMISSION_DENIED",
      "done",
    ]);
    expect(await codesOf([store.get("mine/a"), store.get("theirs/k"), store.exists("mine/b")])).toEqual([
      "done",
      "PERMISSION_DENIED",
      "done",
    ]);
    expect(
      await codesOf([
        store.atomicPut("mine/c", "1", null),
        store.atomicPut("theirs/c", "1", null),
        store.atomicPut("mine/a", "1", null),
      ]),
    ).toEqual(["done", "PERMISSION_DENIED", "KEY_EXISTS"]);
    expect((await root.list("theirs")).map(({ key }) => key)).toEqual(["theirs/k"]);
  });

  it("needs no more than its prefix for every call", async () => {
    const auth = { username: "app", password: "pw" };
    const mine = await connectEtcd({ endpoints: server.endpoint, auth, prefix: "mine" });
    await mine.put("d/k", "1", { ttlMs: 5_000 });
    const watching = mine.watchTree("")[Symbol.asyncIterator]();
    await watching.next();
    const hold = await mine.newLock("lock").lock();
    await hold.unlock();
    await mine.deleteTree("d");
    await watching.return?.();
    await mine.ping();
    await mine.close();
  });

  /** A store of a new user with these rights: type, first key, end of the range. */
  async function userWith(name: string, ...rights: ["READ" | "WRITE" | "READWRITE", string, string?][]) {
    const admin = root.client.auth;
    await admin.addUser(name, "pw");
    await admin.addRole(name);
    for (const [type, key, end] of rights) {
      await admin.grantPermission(name, {
        type,
        key: bytes(key),
        rangeEnd: end === undefined ? undefined : bytes(end),
      });
    }
    await admin.grantRole(name, name);
    return connectEtcd({ endpoints: server.endpoint, auth: { username: name, password: "pw" } });
  }

  it("needs for each call what the page says, and no more", async () => {
    await root.put("d/k", "1");
    const reader = await userWith("reader", ["READ", "d/k"]);
    expect((await reader.get("d/k"))?.text()).toBe("1");
    expect(await reader.exists("d/k")).toBe(true);
    for await (const pair of reader.watch("d/k")) {
      expect(pair?.text()).toBe("1");
      break;
    }
    const lister = await userWith("lister", ["READ", "d/", "d0"]);
    expect(await lister.keys("d")).toEqual(["d/k"]);
    for await (const { pairs } of lister.watchTree("d")) {
      expect(pairs.length).toBe(1);
      break;
    }
    const writer = await userWith("writer", ["WRITE", "d/k"]);
    await writer.put("d/k", "2");
    await writer.put("d/k", "3", { ttlMs: 5_000 });
    expect(await writer.delete("d/k")).toBe(true);
    const both = await userWith("both", ["READWRITE", "d/k"]);
    const pair = await both.atomicPut("d/k", "4", null);
    await both.update("d/k", (now) => `${now?.text()}5`);
    await both
      .atomic()
      .check("d/k", { revision: pair.revision + 1n })
      .put("d/k", "6")
      .commit();
    await both.atomicDelete("d/k", (await both.get("d/k"))!);
    const tree = await userWith("tree", ["READWRITE", "d/", "d0"]);
    await tree.put("d/x", "1");
    expect(await tree.deleteTree("d")).toBe(1);
    const locker = await userWith("locker", ["WRITE", "d/lock"], ["READWRITE", "d/lock___lock/", "d/lock___lock0"]);
    const hold = await locker.newLock("d/lock").lock();
    const waiting = locker.newLock("d/lock").lock();
    await hold.unlock();
    await (await waiting).unlock();
    for (const opened of [reader, lister, writer, both, tree, locker]) {
      await opened.ping();
      await opened.close();
    }
  });

  it("ends a watch of what is forbidden with the reason", async () => {
    const watching = store.watchTree("theirs")[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("is not opened with a wrong password, which no message shows", async () => {
    const auth = { username: "app", password: "wrong-one" };
    const error: unknown = await connectEtcd({ endpoints: server.endpoint, auth }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "UNAUTHENTICATED" });
    expect(String(error)).not.toContain("wrong-one");
  });

  it("is told who does not answer, within the connect timeout", async () => {
    const startedAt = performance.now();
    const endpoints = ["127.0.0.1:1", "127.0.0.1:2"];
    const error: unknown = await connectEtcd({
      endpoints,
      connectTimeoutMs: 500,
      auth: { username: "u", password: "hush" },
    }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "UNREACHABLE" });
    expect(String(error)).toMatch(/127\.0\.0\.1:1.*127\.0\.0\.1:2/);
    expect(String(error)).not.toContain("hush");
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });
});
