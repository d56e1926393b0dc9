import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BadArgumentsError, connect, type ZooKeeperClient } from "../../../src/zookeeper/client/index.js";
import {
  createProxy,
  skipped,
  startZooKeeper,
  type TcpProxy,
  waitUntil,
  type ZooKeeperServer,
} from "../../servers/index.js";
import { bytes, EventLog, failureOf, freshPath, nextState } from "./support.js";

describe.skipIf(skipped("zookeeper")).each(["3.4", "3.8", "3.9"])("watches on ZooKeeper %s", (version) => {
  let server: ZooKeeperServer;
  let proxy: TcpProxy;
  /** Whose watches they are; it goes through the proxy. */
  let client: ZooKeeperClient;
  /** Makes the changes. */
  let other: ZooKeeperClient;
  let path: string;
  let log: EventLog;

  beforeAll(async () => {
    server = await startZooKeeper({ version });
    proxy = await createProxy(server.endpoint);
    other = await connect({ servers: server.hosts });
  });
  beforeEach(async () => {
    client = await connect({ servers: proxy.host, sessionTimeoutMs: 20_000 });
    path = freshPath();
    log = new EventLog();
  });
  afterEach(() => client?.close());
  afterAll(async () => {
    await other?.close();
    await proxy?.close();
    await server?.close();
  });

  /** Cuts the connection, lets `change` happen meanwhile, and waits for the next one. */
  async function whileCut(change: () => Promise<unknown>): Promise<void> {
    const suspended = nextState(client, "suspended");
    proxy.refuse();
    proxy.cut();
    await suspended;
    await change();
    const connected = nextState(client, "connected");
    await proxy.accept();
    expect(await connected).toMatchObject({ newSession: false, previous: { name: "suspended" } });
  }

  /** How many watches the server holds, over all paths. */
  async function watchesOnServer(): Promise<number> {
    return Number(/Total watches:(\d+)/.exec(await server.ask("wchs"))?.[1]);
  }

  it("tells a change of data once", async () => {
    await other.create(path, bytes("1"));
    await client.getData(path, { watch: log.watcher });
    await other.setData(path, bytes("2"));
    expect(await log.next()).toBe(`nodeDataChanged ${path}`);
    await other.setData(path, bytes("3"));
    await client.sync();
    expect(log.seen).toHaveLength(1);
  });

  it("tells that a node is created, and leaves no watch on one that a failed read did not find", async () => {
    expect((await client.exists(path, { watch: log.watcher })).stat).toBeUndefined();
    const failed = new EventLog();
    await failureOf(client.getData(path, { watch: failed.watcher }));
    await other.create(path);
    expect(await log.next()).toBe(`nodeCreated ${path}`);
    await client.sync();
    expect(failed.seen).toEqual([]);
  });

  it("tells a deletion to all three kinds, each watcher once", async () => {
    await other.create(path);
    const children = new EventLog();
    await client.getData(path, { watch: log.watcher });
    await client.exists(path, { watch: log.watcher });
    await client.getChildren(path, { watch: children.watcher });
    await other.delete(path);
    expect(await log.next()).toBe(`nodeDeleted ${path}`);
    expect(await children.next()).toBe(`nodeDeleted ${path}`);
    await client.sync();
    expect(log.seen).toHaveLength(1);
  });

  it("tells a change of children", async () => {
    await other.create(path);
    await client.getChildren(path, { watch: log.watcher });
    await other.create(`${path}/a`);
    expect(await log.next()).toBe(`nodeChildrenChanged ${path}`);
  });

  it("notices after a cut what one-shot watches missed, and keeps those that missed nothing", async () => {
    await other.create(path, bytes("1"));
    await other.create(`${path}/list`);
    await other.create(`${path}/gone`);
    await client.getData(path, { watch: log.watcher });
    const list = new EventLog();
    const gone = new EventLog();
    const made = new EventLog();
    const kept = new EventLog();
    await client.getChildren(`${path}/list`, { watch: list.watcher });
    await client.exists(`${path}/gone`, { watch: gone.watcher });
    await client.exists(`${path}/made`, { watch: made.watcher });
    await client.getData(`${path}/list`, { watch: kept.watcher });
    await whileCut(async () => {
      await other.setData(path, bytes("2"));
      await other.create(`${path}/list/a`);
      await other.delete(`${path}/gone`);
      await other.create(`${path}/made`);
    });
    expect(await log.next()).toBe(`nodeDataChanged ${path}`);
    expect(await list.next()).toBe(`nodeChildrenChanged ${path}/list`);
    expect(await gone.next()).toBe(`nodeDeleted ${path}/gone`);
    expect(await made.next()).toBe(`nodeCreated ${path}/made`);
    await client.sync();
    expect(kept.seen).toEqual([]);
    await other.setData(`${path}/list`, bytes("x"));
    expect(await kept.next()).toBe(`nodeDataChanged ${path}/list`);
  });

  it("sets thousands of watches again, in requests that the server takes", async () => {
    const long = "x".repeat(700);
    const logs = new Map<string, EventLog>();
    for (let at = 0; at < 2_000; at++) logs.set(`${path}-${at}-${long}`, new EventLog());
    await Promise.all([...logs].map(([name, { watcher }]) => client.exists(name, { watch: watcher })));
    const names = [...logs.keys()];
    const meanwhile = [names[0]!, names[999]!, names[1_999]!];
    await whileCut(() => Promise.all(meanwhile.map((name) => other.create(name))));
    for (const name of meanwhile) expect(await logs.get(name)!.next()).toBe(`nodeCreated ${name}`);
    await other.create(names[1_500]!);
    expect(await logs.get(names[1_500]!)!.next()).toBe(`nodeCreated ${names[1_500]!}`);
  });

  it("strips the chroot from events", async () => {
    await other.create(path);
    const below = await connect({ servers: proxy.host, chroot: path });
    try {
      await below.exists("/a", { watch: log.watcher });
      await below.getChildren("/", { watch: log.watcher });
      await other.create(`${path}/a`);
      expect([await log.next(), await log.next()].toSorted()).toEqual(["nodeChildrenChanged /", "nodeCreated /a"]);
    } finally {
      await below.close();
    }
  });

  it("a watch that is being set survives the removal of another on the same node", async () => {
    await other.create(path, bytes("1"));
    const second = new EventLog();
    await client.exists(path, { watch: second.watcher });
    const reading = client.exists(path, { watch: log.watcher });
    await Promise.all([reading, client.removeWatches(path, "data", second.watcher)]);
    await other.delete(path);
    expect(await log.next()).toBe(`nodeDeleted ${path}`);
    expect(second.seen).toEqual([]);
  });

  it("has one watch on the server for many watchers, and none after the last is taken back", async () => {
    await other.create(path);
    const before = await watchesOnServer();
    const second = new EventLog();
    await client.getData(path, { watch: log.watcher });
    await client.getData(path, { watch: second.watcher });
    await client.exists(path, { watch: second.watcher });
    expect(await watchesOnServer()).toBe(before + 1);
    await client.removeWatches(path, "data", second.watcher);
    expect(await watchesOnServer()).toBe(before + 1);
    await client.removeWatches(path, "data", log.watcher);
    // 3.4 cannot remove watches: the event comes, and nobody is told.
    expect(await watchesOnServer()).toBe(version === "3.4" ? before + 1 : before);
    await other.setData(path, bytes("2"));
    await client.sync();
    expect([...log.seen, ...second.seen]).toEqual([]);
  });

  it("survives a watcher that throws", async () => {
    const warned = new Promise<Error>((resolve) => {
      process.once("warning", resolve);
    });
    await other.create(path);
    await client.getData(path, {
      watch: () => {
        throw new Error("a bug of the watcher's");
      },
    });
    await client.getData(path, { watch: log.watcher });
    await other.setData(path, bytes("2"));
    expect(await log.next()).toBe(`nodeDataChanged ${path}`);
    expect((await warned).message).toBe("a bug of the watcher's");
    expect(client.state.name).toBe("connected");
  });

  if (version === "3.4") {
    it("has no persistent watches", async () => {
      expect(await failureOf(client.addWatch(path, log.watcher))).toMatchObject({ name: "UnimplementedError" });
      expect(client.state.name).toBe("connected");
    });
    return;
  }

  it("tells every change to a persistent watch", async () => {
    await client.addWatch(path, log.watcher);
    await other.create(path);
    await other.setData(path, bytes("1"));
    await other.setData(path, bytes("2"));
    await other.create(`${path}/a`);
    await other.setData(`${path}/a`, bytes("x"));
    await other.delete(`${path}/a`);
    await other.delete(path);
    const told = [];
    for (let at = 0; at < 6; at++) told.push(await log.next());
    expect(told).toEqual([
      `nodeCreated ${path}`,
      `nodeDataChanged ${path}`,
      `nodeDataChanged ${path}`,
      `nodeChildrenChanged ${path}`,
      `nodeChildrenChanged ${path}`,
      `nodeDeleted ${path}`,
    ]);
    if (version === "3.9") expect(log.seen[0]!.zxid).toBeGreaterThan(0n);
  });

  it("tells everything below to a recursive watch, and nothing beside it", async () => {
    await other.create(path);
    await client.addWatch(path, log.watcher, { recursive: true });
    await other.create(`${path}x`);
    await other.create(`${path}/a`);
    await other.create(`${path}/a/b`, bytes("1"));
    await other.setData(`${path}/a/b`, bytes("2"));
    await other.delete(`${path}/a/b`);
    const told = [];
    for (let at = 0; at < 4; at++) told.push(await log.next());
    expect(told).toEqual([
      `nodeCreated ${path}/a`,
      `nodeCreated ${path}/a/b`,
      `nodeDataChanged ${path}/a/b`,
      `nodeDeleted ${path}/a/b`,
    ]);
  });

  it("says after a cut that persistent watches are set again, and that changes may have been missed", async () => {
    const recursive = new EventLog();
    await other.create(path);
    await other.create(`${path}/tree`);
    await client.addWatch(path, log.watcher);
    await client.addWatch(`${path}/tree`, recursive.watcher, { recursive: true });
    await whileCut(() => other.create(`${path}/tree/a`));
    expect(await log.next()).toBe(`rearmed ${path}`);
    expect(await recursive.next()).toBe(`rearmed ${path}/tree`);
    await other.create(`${path}/tree/b`);
    expect(await recursive.next()).toBe(`nodeCreated ${path}/tree/b`);
    await other.setData(path, bytes("x"));
    expect(await log.next()).toBe(`nodeDataChanged ${path}`);
  });

  it("shares one persistent watch among watchers and removes it with the last", async () => {
    await other.create(path);
    const before = await watchesOnServer();
    const second = new EventLog();
    const [first, again] = await Promise.all([
      client.addWatch(path, log.watcher),
      client.addWatch(path, second.watcher),
    ]);
    const held = await watchesOnServer();
    expect(held).toBeGreaterThan(before);
    await first.remove();
    await first.remove();
    expect(await watchesOnServer()).toBe(held);
    await other.setData(path, bytes("x"));
    expect(await second.next()).toBe(`nodeDataChanged ${path}`);
    expect(log.seen).toEqual([]);
    await again.remove();
    expect(await watchesOnServer()).toBe(before);
  });

  it("keeps the one-shot watches of a node whose persistent watch is removed", async () => {
    await other.create(path);
    await client.getData(path, { watch: log.watcher });
    const persistent = await client.addWatch(path, () => {});
    await persistent.remove();
    await other.setData(path, bytes("x"));
    expect(await log.next()).toBe(`nodeDataChanged ${path}`);
  });

  it("refuses what a server before 3.9 would mix up", async () => {
    await client.addWatch(path, log.watcher);
    expect(await failureOf(client.exists(path, { watch: log.watcher }))).toBeInstanceOf(BadArgumentsError);
    expect(await failureOf(client.addWatch(path, log.watcher, { recursive: true }))).toBeInstanceOf(BadArgumentsError);
    expect((await client.exists(path)).stat).toBeUndefined();
  });

  it("leaves no watch of a closed client on the server", async () => {
    const before = await watchesOnServer();
    const closing = await connect({ servers: server.hosts });
    await closing.addWatch(path, log.watcher, { recursive: true });
    expect(await watchesOnServer()).toBeGreaterThan(before);
    await closing.close();
    await waitUntil("the server has forgotten them", async () => (await watchesOnServer()) === before, {
      timeoutMs: 10_000,
    });
  });
});
