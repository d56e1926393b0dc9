import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClosedError, connect, type ZooKeeperClient } from "../../../src/zookeeper/client/index.js";
import { createProxy, skipped, startZooKeeper, waitUntil, type ZooKeeperServer } from "../../servers/index.js";
import { EventLog, failureOf, freshPath, nextState } from "./support.js";

// Less than the sessions last, so that only their end on the server removes their nodes in time.
describe.skipIf(skipped("zookeeper"))("close", { timeout: 20_000 }, () => {
  let server: ZooKeeperServer;
  let observer: ZooKeeperClient;

  beforeAll(async () => {
    server = await startZooKeeper();
    observer = await connect({ servers: server.hosts });
  });
  afterAll(async () => {
    await observer?.close();
    await server?.close();
  });

  /** Creates an ephemeral node of the client's; the promise inside resolves when the node is gone. */
  async function leaveMark(client: ZooKeeperClient): Promise<{ gone: Promise<string> }> {
    const path = freshPath();
    await client.create(path, null, { mode: "ephemeral" });
    const log = new EventLog();
    await observer.exists(path, { watch: log.watcher });
    return { gone: log.next() };
  }

  const sessionTimeoutMs = 40_000;

  it("ends the session on the server and refuses later calls", async () => {
    const client = await connect({ servers: server.hosts, sessionTimeoutMs });
    const { gone } = await leaveMark(client);
    const states: string[] = [];
    client.onStateChange(({ state }) => states.push(state.name));
    const closing = client.close();
    expect(client.close()).toBe(closing);
    await closing;
    expect(await gone).toMatch(/^nodeDeleted/);
    expect(states).toEqual(["closed"]);
    const refused = await failureOf(client.getData("/"));
    expect(refused).toBeInstanceOf(ClosedError);
    expect(refused).toMatchObject({ operation: "getData", path: "/", outcome: "not-applied" });
  });

  it("answers what was sent before it", async () => {
    const client = await connect({ servers: server.hosts, sessionTimeoutMs });
    const calls = Array.from({ length: 100 }, () => client.exists("/"));
    await client.close();
    for (const { stat } of await Promise.all(calls)) expect(stat).toBeDefined();
  });

  it("ends the session in the middle of a reconnect", async () => {
    const proxy = await createProxy(server.endpoint);
    const client = await connect({ servers: proxy.host, sessionTimeoutMs });
    const { gone } = await leaveMark(client);
    const suspended = nextState(client, "suspended");
    proxy.cut();
    await suspended;
    await client.close();
    expect(await gone).toMatch(/^nodeDeleted/);
    await proxy.close();
  });

  it("ends the session that a server is just about to grant", async () => {
    const before = await sessions();
    const proxy = await createProxy(server.endpoint);
    proxy.holdReplies();
    const controller = new AbortController();
    const connecting = failureOf(connect({ servers: proxy.host, sessionTimeoutMs, signal: controller.signal }));
    const granted = async (): Promise<boolean> => (await sessions()) === before + 1;
    await waitUntil("the server has made the session", granted, { timeoutMs: 10_000 });
    controller.abort(new Error("changed my mind"));
    setImmediate(() => proxy.resume());
    expect(await connecting).toBe(controller.signal.reason);
    expect(await sessions()).toBe(before);
    await proxy.close();
  });

  it("gives up in time when no server can be reached", async () => {
    const proxy = await createProxy(server.endpoint);
    const client = await connect({ servers: proxy.host, sessionTimeoutMs, closeTimeoutMs: 300 });
    proxy.stall();
    const pending = failureOf(client.getData("/"));
    const startedAt = performance.now();
    await client.close();
    expect(performance.now() - startedAt).toBeLessThan(600);
    expect(await pending).toMatchObject({ name: "ConnectionLossError" });
    await proxy.close();
  });

  it("rejects what was waiting for a connection", async () => {
    const proxy = await createProxy(server.endpoint);
    const client = await connect({ servers: proxy.host, sessionTimeoutMs, closeTimeoutMs: 100 });
    const suspended = nextState(client, "suspended");
    proxy.refuse();
    proxy.cut();
    await suspended;
    const pending = failureOf(client.getData("/"));
    await client.close();
    expect(await pending).toBeInstanceOf(ClosedError);
    await proxy.close();
  });

  it.each(["connected", "suspended"])("lets the process end that closes while %s", async (state) => {
    const program = fileURLToPath(new URL("close-program.ts", import.meta.url));
    const child = spawn(process.execPath, ["--import", "tsx", program, server.hosts, state], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(0);
    // What is said at the end of the process is how long after `close` that was, in milliseconds.
    expect(Number(output)).toBeLessThan(500);
  });

  /** How many sessions the server has: its dump lists each as a line "0x..." under the time when it would expire. */
  async function sessions(): Promise<number> {
    const [listed = ""] = (await server.ask("dump")).split(/ephemeral nodes dump/i);
    return listed.match(/^\s*0x[0-9a-f]+$/gm)?.length ?? 0;
  }
});
