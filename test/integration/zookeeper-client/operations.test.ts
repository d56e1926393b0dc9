import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BadArgumentsError,
  BadVersionError,
  connect,
  MultiError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  ReadFailure,
  RequestTooLargeError,
  UnimplementedError,
  type ZooKeeperClient,
} from "../../../src/zookeeper/client/index.js";
import { skipped, startZooKeeper, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, failureOf, freshPath } from "./support.js";

describe.skipIf(skipped("zookeeper")).each(["3.4", "3.8", "3.9"])("operations on ZooKeeper %s", (version) => {
  let server: ZooKeeperServer;
  let client: ZooKeeperClient;

  beforeAll(async () => {
    server = await startZooKeeper({ version, javaArgs: ["-Dzookeeper.extendedTypesEnabled=true"] });
    client = await connect({ servers: server.hosts });
  });
  afterAll(async () => {
    await client?.close();
    await server?.close();
  });

  it("learns what the server has", () => {
    expect(client.serverLevel).toBe(version === "3.4" ? 3.4 : 3.7);
    expect(client.state).toMatchObject({ name: "connected", server: server.hosts, readOnly: false });
  });

  it("creates, reads, sets and deletes", async () => {
    const path = freshPath();
    const created = await client.create(path, bytes("one"));
    expect(created.path).toBe(path);
    expect(created.stat?.version).toBe(version === "3.4" ? undefined : 0);

    const read = await client.getData(path);
    expect(read.data?.toString()).toBe("one");
    expect(read.stat.czxid).toBe(created.zxid);
    expect(Math.abs(read.stat.ctime - Date.now())).toBeLessThan(60_000);

    const set = await client.setData(path, bytes("two"), { version: 0 });
    expect(set.stat).toMatchObject({ version: 1, dataLength: 3 });
    expect(set.stat.mzxid).toBe(set.zxid);
    expect(set.zxid).toBeGreaterThan(created.zxid);

    expect(await failureOf(client.setData(path, bytes("three"), { version: 0 }))).toBeInstanceOf(BadVersionError);
    expect(await failureOf(client.delete(path, { version: 7 }))).toBeInstanceOf(BadVersionError);
    const gone = await client.delete(path, { version: 1 });
    expect(gone.zxid).toBeGreaterThan(set.zxid);
    expect((await client.exists(path)).stat).toBeUndefined();
    expect(await failureOf(client.getData(path))).toMatchObject({
      name: "NoNodeError",
      code: -101,
      path,
      operation: "getData",
      message: `getData ${path}: no such node`,
    });
  });

  it("tells null data from empty data", async () => {
    const path = freshPath();
    await client.create(path);
    expect((await client.getData(path)).data).toBeNull();
    await client.setData(path, new Uint8Array(0));
    expect((await client.getData(path)).data).toHaveLength(0);
    await client.setData(path, null);
    expect((await client.getData(path)).data).toBeNull();
  });

  it("keeps every byte of large values, and gives each caller memory of its own", async () => {
    const path = freshPath();
    const value = Uint8Array.from({ length: 900_000 }, (_, at) => (at * 31) % 251);
    await client.create(path, value);
    const [first, second] = await Promise.all([client.getData(path), client.getData(path)]);
    expect(Buffer.compare(first.data!, value)).toBe(0);
    first.data!.fill(0);
    expect(Buffer.compare(second.data!, value)).toBe(0);
  });

  it("refuses a request over jute.maxbuffer without sending it, and goes on", async () => {
    const error = await failureOf(client.create(freshPath(), new Uint8Array(1_048_576)));
    expect(error).toBeInstanceOf(RequestTooLargeError);
    expect(error).toMatchObject({ outcome: "not-applied" });
    expect(await failureOf(client.create(freshPath(), new Uint8Array(20_000_000)))).toBeInstanceOf(
      RequestTooLargeError,
    );
    expect(client.state.name).toBe("connected");
    expect((await client.exists("/")).stat).toBeDefined();
  });

  it("lists children", async () => {
    const path = freshPath();
    await client.create(path);
    const names = Array.from({ length: 300 }, (_, at) => `child-${at}-ä`);
    await Promise.all(names.map((name) => client.create(`${path}/${name}`)));
    const { children, stat } = await client.getChildren(path);
    expect(children.toSorted()).toEqual(names.toSorted());
    expect(stat.numChildren).toBe(300);
    expect(await client.getAllChildrenNumber(path)).toBe(300);
    expect(await failureOf(client.delete(path))).toBeInstanceOf(NotEmptyError);
  });

  it("numbers sequential nodes", async () => {
    const path = freshPath();
    await client.create(path);
    const made = [];
    for (let at = 0; at < 3; at++) made.push(await client.create(`${path}/n-`, null, { mode: "persistentSequential" }));
    expect(made.map((reply) => reply.path.slice(path.length))).toEqual([
      "/n-0000000000",
      "/n-0000000001",
      "/n-0000000002",
    ]);
    const bare = await client.create(`${path}/`, null, { mode: "ephemeralSequential" });
    expect(bare.path).toBe(`${path}/0000000003`);
  });

  it("owns its ephemeral nodes", async () => {
    const path = freshPath();
    await client.create(path, null, { mode: "ephemeral" });
    const { state } = client;
    const sessionId = state.name === "connected" ? state.session.id : undefined;
    expect((await client.exists(path)).stat?.ephemeralOwner).toBe(sessionId);
    expect(await client.getEphemerals(path)).toEqual([path]);
    expect(await failureOf(client.create(`${path}/child`))).toBeInstanceOf(NoChildrenForEphemeralsError);
    expect(await failureOf(client.create(path))).toBeInstanceOf(NodeExistsError);
  });

  it("creates containers and nodes with a time to live where the server has them", async () => {
    const container = client.create(freshPath(), null, { mode: "container" });
    const ttl = client.create(freshPath(), null, { mode: "ttl", ttlMs: 60_000 });
    const ttlSequential = client.create(freshPath(), null, { mode: "ttlSequential", ttlMs: 60_000 });
    if (version === "3.4") {
      for (const call of [container, ttl, ttlSequential]) {
        expect(await failureOf(call)).toBeInstanceOf(UnimplementedError);
      }
      // Nothing was sent that would have cost the connection.
      expect(client.state.name).toBe("connected");
    } else {
      expect((await container).stat).toBeDefined();
      expect((await ttl).stat).toBeDefined();
      expect((await ttlSequential).path).toMatch(/\d{10}$/);
    }
  });

  it("does all of a multi", async () => {
    const path = freshPath();
    const { results, zxid } = await client.multi([
      { type: "create", path, data: bytes("v") },
      { type: "check", path, version: 0 },
      { type: "setData", path, data: bytes("w"), version: 0 },
      { type: "create", path: `${path}/n-`, mode: "persistentSequential" },
      { type: "create", path: `${path}/e`, mode: "ephemeral" },
      { type: "delete", path: `${path}/e` },
    ]);
    expect(results).toMatchObject([
      { type: "create", path },
      { type: "check" },
      { type: "setData", stat: { version: 1 } },
      { type: "create", path: `${path}/n-0000000000` },
      { type: "create", path: `${path}/e` },
      { type: "delete" },
    ]);
    const { data, stat } = await client.getData(path);
    expect(data?.toString()).toBe("w");
    expect(stat.czxid).toBe(zxid);
  });

  it("does nothing of a multi that fails, and says which operation was to blame", async () => {
    const path = freshPath();
    const error = await failureOf(
      client.multi([
        { type: "create", path },
        { type: "setData", path: `${path}/absent`, data: bytes("x") },
        { type: "delete", path },
      ]),
    );
    expect(error).toBeInstanceOf(MultiError);
    expect(error).toMatchObject({ index: 1, code: -101, outcome: "not-applied" });
    expect((error as MultiError).failure).toBeInstanceOf(NoNodeError);
    expect((error as MultiError).failure.path).toBe(`${path}/absent`);
    expect((await client.exists(path)).stat).toBeUndefined();
  });

  it("creates containers in a multi", async () => {
    const path = freshPath();
    const call = client.multi([{ type: "create", path, mode: "container" }]);
    if (version === "3.4") expect(await failureOf(call)).toBeInstanceOf(UnimplementedError);
    else expect((await call).results).toMatchObject([{ type: "create", path }]);
  });

  it("reads many nodes in one request", async () => {
    const path = freshPath();
    await client.create(path, bytes("parent"));
    await client.create(`${path}/child`, bytes("c"));
    const [data, children, absent] = await client.multiRead([
      { type: "getData", path },
      { type: "getChildren", path },
      { type: "getData", path: `${path}/absent` },
    ]);
    expect(data).toMatchObject({ stat: { version: 0, numChildren: 1 } });
    expect(data !== undefined && "data" in data && data.data?.toString()).toBe("parent");
    expect(children).toMatchObject({ children: ["child"] });
    expect(absent).toBeInstanceOf(ReadFailure);
    expect(absent).toMatchObject({ code: -101 });
    expect(await client.multiRead([])).toEqual([]);
  });

  it("syncs, and knows who it is", async () => {
    const { zxid } = await client.create(freshPath());
    expect((await client.sync()).zxid).toBeGreaterThanOrEqual(zxid);
    const call = client.whoAmI();
    if (version === "3.4") expect(await failureOf(call)).toBeInstanceOf(UnimplementedError);
    else expect(await call).toContainEqual({ scheme: "ip", user: "127.0.0.1" });
  });

  it("answers pipelined requests in the order of the calls", async () => {
    const path = freshPath();
    await client.create(path, bytes("0"));
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 500 }, async (_, at) => {
        const { stat } = await client.setData(path, bytes(String(at)));
        order.push(stat.version);
      }),
    );
    expect(order).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
    expect((await client.getData(path)).data?.toString()).toBe("499");
  });

  it("refuses paths that no server takes, without sending them", async () => {
    for (const path of ["", "a", "/a/", "//", "/a//b", "/.", "/a/../b", "/\0", "/\u007f", "/\ue000", "/\u{1f600}"]) {
      expect(await failureOf(client.getData(path))).toBeInstanceOf(BadArgumentsError);
      expect(await failureOf(client.multi([{ type: "delete", path }]))).toBeInstanceOf(BadArgumentsError);
    }
    for (const path of ["/...", "/.a", "/a..", "/ü €", "/\ufdd0"]) {
      expect((await client.exists(path)).stat).toBeUndefined();
    }
  });

  it("sees everything below its chroot", async () => {
    const root = freshPath();
    await client.create(root);
    const below = await connect({ servers: `${server.hosts}${root}` });
    try {
      const made = await below.create("/a", bytes("1"));
      expect(made.path).toBe("/a");
      expect((await below.create("/s-", null, { mode: "ephemeralSequential" })).path).toBe("/s-0000000001");
      expect((await client.getData(`${root}/a`)).data?.toString()).toBe("1");
      expect((await below.getChildren("/")).children).toContain("a");
      const { results } = await below.multi([{ type: "create", path: "/a/b" }]);
      expect(results).toMatchObject([{ path: "/a/b" }]);
      expect(await below.getEphemerals("/")).toEqual(["/s-0000000001"]);
      expect(await failureOf(below.getData("/none"))).toMatchObject({ path: "/none" });
      expect(await below.getAllChildrenNumber("/")).toBe(3);
    } finally {
      await below.close();
    }
  });
});
