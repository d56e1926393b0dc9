import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect, NodeExistsError, type ZooKeeperClient } from "../../../src/zookeeper/client/index.js";
import { createProxy, startZooKeeper, type TcpProxy, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, EventLog, failureOf, freshPath, nextState } from "../../integration/zookeeper-client/support.js";

describe("a session in trouble", () => {
  let server: ZooKeeperServer;
  let observer: ZooKeeperClient;
  let proxy: TcpProxy;
  let path: string;

  beforeAll(async () => {
    server = await startZooKeeper();
    observer = await connect({ servers: server.hosts });
  });
  beforeEach(async () => {
    path = freshPath();
    proxy = await createProxy(server.endpoint, { count: "zookeeper" });
  });
  afterEach(() => proxy?.close());
  afterAll(async () => {
    await observer?.close();
    await server?.close();
  });

  it("of a process that was stopped too long: it learns that it expired, and goes on with its watches", async () => {
    const program = fileURLToPath(new URL("session-child.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", program, server.hosts, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const next = async (): Promise<unknown> => (await lines.next()).value;
      expect(await next()).toBe("ready");
      const gone = new EventLog();
      await observer.exists(path, { watch: gone.watcher });
      child.kill("SIGSTOP");
      expect(await gone.next()).toBe(`nodeDeleted ${path}`);
      await observer.create(`${path}-watched`);
      child.kill("SIGCONT");
      const seen: unknown[] = [];
      while (!seen.includes("connected anew") || !seen.includes("nodeCreated")) seen.push(await next());
      expect(seen).toContain("expired");
      expect(seen.indexOf("expired")).toBeLessThan(seen.indexOf("connected anew"));
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("that comes back meets its own ephemeral node, and a new one meets the old session's", async () => {
    const client = await connect({ servers: proxy.host, sessionTimeoutMs: 20_000 });
    const held = proxy.holdReplies();
    const create = failureOf(client.create(path, null, { mode: "ephemeral" }));
    await held.arrived();
    const connected = nextState(client, "connected");
    proxy.cut();
    proxy.resume();
    expect(await create).toMatchObject({ name: "ConnectionLossError", outcome: "unknown" });
    await connected;
    const own = client.state.name === "connected" ? client.state.session.id : undefined;
    expect(await failureOf(client.create(path, null, { mode: "ephemeral" }))).toBeInstanceOf(NodeExistsError);
    expect((await client.exists(path)).stat?.ephemeralOwner).toBe(own);
    // Cut off before it can end its session: the node stays, and its owner is not the next client.
    proxy.refuse();
    proxy.cut();
    const next = await connect({ servers: server.hosts });
    expect(await failureOf(next.create(path, null, { mode: "ephemeral" }))).toBeInstanceOf(NodeExistsError);
    expect((await next.exists(path)).stat?.ephemeralOwner).toBe(own);
    await next.close();
    await proxy.accept();
    await client.close();
    expect((await observer.exists(path)).stat).toBeUndefined();
  });

  it("that loses the answer to a sequential create can find its node, and there is only one", async () => {
    const client = await connect({ servers: proxy.host, sessionTimeoutMs: 20_000 });
    await observer.create(path);
    const held = proxy.holdReplies();
    const create = failureOf(client.create(`${path}/_c_id-lock-`, null, { mode: "ephemeralSequential" }));
    await held.arrived();
    proxy.cut();
    proxy.resume();
    expect(await create).toMatchObject({ name: "ConnectionLossError", outcome: "unknown" });
    const { children } = await client.getChildren(path);
    expect(children).toEqual(["_c_id-lock-0000000000"]);
    const { stat } = await client.exists(`${path}/${children[0]!}`);
    expect(stat?.ephemeralOwner).toBe(client.sessionCredentials?.id);
    await client.close();
    expect((await observer.getChildren(path)).children).toEqual([]);
  });

  it("is told after a cut of everything that was changed meanwhile, deleted and made again too", async () => {
    const client = await connect({ servers: proxy.host, sessionTimeoutMs: 20_000 });
    const names = ["same", "set", "gone", "again", "set-and-gone", "filled"] as const;
    for (const name of names) await observer.create(`${path}-${name}`, bytes("1"));
    const data = Object.fromEntries(names.map((name) => [name, new EventLog()]));
    const children = new EventLog();
    for (const name of names) await client.getData(`${path}-${name}`, { watch: data[name]!.watcher });
    await client.getChildren(`${path}-filled`, { watch: children.watcher });
    const born = new EventLog();
    await client.exists(`${path}-born`, { watch: born.watcher });
    const suspended = nextState(client, "suspended");
    proxy.refuse();
    proxy.cut();
    await suspended;
    await observer.setData(`${path}-set`, bytes("2"));
    await observer.delete(`${path}-gone`);
    await observer.delete(`${path}-again`);
    await observer.create(`${path}-again`, bytes("1"));
    await observer.setData(`${path}-set-and-gone`, bytes("2"));
    await observer.delete(`${path}-set-and-gone`);
    await observer.create(`${path}-filled/child`);
    await observer.delete(`${path}-filled/child`);
    await observer.create(`${path}-born`);
    await proxy.accept();
    // The same data, but another node: what a watcher kept of the old one is worth nothing.
    expect(await data["again"]!.next()).toBe(`nodeDataChanged ${path}-again`);
    expect(await data["set"]!.next()).toBe(`nodeDataChanged ${path}-set`);
    expect(await data["gone"]!.next()).toBe(`nodeDeleted ${path}-gone`);
    expect(await data["set-and-gone"]!.next()).toBe(`nodeDeleted ${path}-set-and-gone`);
    expect(await children.next()).toBe(`nodeChildrenChanged ${path}-filled`);
    expect(await born.next()).toBe(`nodeCreated ${path}-born`);
    await client.sync();
    expect(data["same"]!.seen).toEqual([]);
    await client.close();
  });

  it("reports a node that is deleted and made again under its watch, step by step where it asks again", async () => {
    const client = await connect({ servers: server.hosts });
    await observer.create(path, bytes("1"));
    const states: string[] = [];
    const log = new EventLog();
    const look = async (): Promise<void> => {
      const { stat } = await client.exists(path, { watch: log.watcher });
      states.push(stat === undefined ? "absent" : "there");
    };
    await look();
    for (let turn = 0; turn < 5; turn++) {
      await observer.delete(path);
      expect(await log.next()).toBe(`nodeDeleted ${path}`);
      await look();
      await observer.create(path, bytes("1"));
      expect(await log.next()).toBe(`nodeCreated ${path}`);
      await look();
    }
    expect(states).toEqual(["there", ...Array.from({ length: 5 }, () => ["absent", "there"]).flat()]);
    await client.close();
  });
});
