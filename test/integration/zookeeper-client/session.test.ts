import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/util/clock.js";
import {
  connect,
  type ConnectionLossError,
  OperationTimeoutError,
  SessionExpiredError,
  type ZooKeeperClient,
} from "../../../src/zookeeper/client/index.js";
import { createProxy, skipped, startZooKeeper, type TcpProxy, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, EventLog, failureOf, freshPath, nextState } from "./support.js";

const sessionTimeoutMs = 3_000;

describe.skipIf(skipped("zookeeper"))("a session", () => {
  let server: ZooKeeperServer;
  let proxy: TcpProxy;
  let client: ZooKeeperClient;
  let path: string;

  beforeAll(async () => {
    server = await startZooKeeper({ own: true });
  });
  beforeEach(async () => {
    proxy = await createProxy(server.endpoint, { count: "zookeeper" });
    client = await connect({ servers: proxy.host, sessionTimeoutMs });
    path = freshPath();
  });
  afterEach(async () => {
    await client?.close();
    await proxy?.close();
  });
  afterAll(() => server?.close());

  const sessionId = (): bigint | undefined => ("session" in client.state ? client.state.session.id : undefined);

  /** Ends the client's session on the server, as another client that knows its id and password. */
  async function killSession(): Promise<void> {
    const thief = await connect({ servers: server.hosts, session: client.sessionCredentials });
    expect(thief.state).toMatchObject({ session: { id: sessionId() } });
    await thief.close();
  }

  it("goes on after its connection is cut, with its ephemeral nodes", async () => {
    const before = sessionId();
    await client.create(path, null, { mode: "ephemeral" });
    const suspended = nextState(client, "suspended");
    const connected = nextState(client, "connected");
    proxy.cut();
    expect(await suspended).toMatchObject({ state: { session: { id: before } }, reason: { code: -4 } });
    expect(await connected).toMatchObject({ newSession: false });
    expect(sessionId()).toBe(before);
    expect((await client.exists(path)).stat?.ephemeralOwner).toBe(before);
  });

  it("outlives a connection that a server accepts and forgets, as one that is only just starting may do", async () => {
    const patient = await connect({ servers: proxy.host, sessionTimeoutMs: 9_000 });
    try {
      await client.close();
      const { accepted } = proxy;
      proxy.forgetNext();
      const connected = nextState(patient, "connected");
      proxy.cut();
      expect(await connected).toMatchObject({ newSession: false });
      expect(proxy.accepted).toBe(accepted + 2);
    } finally {
      await patient.close();
    }
  });

  it("keeps requests until there is a connection, with the bytes they were called with, in order", async () => {
    await client.create(path, bytes("0"));
    const suspended = nextState(client, "suspended");
    proxy.refuse();
    proxy.cut();
    await suspended;
    const value = bytes("first");
    const calls = [client.setData(path, value), client.setData(path, bytes("second")), client.getData(path)] as const;
    const multi = client.multi([{ type: "create", path: `${path}/a`, data: value }]);
    value.fill(0);
    await proxy.accept();
    const [first, second, read] = await Promise.all(calls);
    expect([first.stat.version, second.stat.version]).toEqual([1, 2]);
    expect(read.data?.toString()).toBe("second");
    await multi;
    expect((await client.getData(`${path}/a`)).data?.toString()).toBe("first");
  });

  it("begins a new session when the server says that it has expired", async () => {
    const before = sessionId();
    const watch = new EventLog();
    const recursive = new EventLog();
    await client.create(path, bytes("1"));
    await client.create(`${path}/e`, null, { mode: "ephemeral" });
    await client.getData(path, { watch: watch.watcher });
    await client.addWatch(path, recursive.watcher, { recursive: true });
    const expired = nextState(client, "expired");
    const connected = nextState(client, "connected");
    await killSession();
    expect(await expired).toMatchObject({ state: { session: { id: before } } });
    expect((await expired).reason).toBeInstanceOf(SessionExpiredError);
    expect(await connected).toMatchObject({ newSession: true, previous: { name: "connecting" } });
    expect(sessionId()).not.toBe(before);
    expect((await client.exists(`${path}/e`)).stat).toBeUndefined();
    // The watches are with the new session now.
    while ((await recursive.next()) !== `rearmed ${path}`) {
      // The end of the ephemeral node may have been told before.
    }
    await client.setData(path, bytes("2"));
    expect(await watch.next()).toBe(`nodeDataChanged ${path}`);
    expect(await recursive.next()).toBe(`nodeDataChanged ${path}`);
  });

  it("fails what was to belong to the lost session, and sends the rest in the next one", async () => {
    const suspended = nextState(client, "suspended");
    proxy.refuse();
    proxy.cut();
    await suspended;
    const ephemeral = failureOf(client.create(path, null, { mode: "ephemeral" }));
    const inMulti = failureOf(client.multi([{ type: "create", path, mode: "ephemeralSequential" }]));
    const lasting = client.create(`${path}-lasting`);
    await killSession();
    await proxy.accept();
    for (const failure of [await ephemeral, await inMulti]) {
      expect(failure).toBeInstanceOf(SessionExpiredError);
      expect(failure).toMatchObject({ outcome: "not-applied" });
    }
    expect((await lasting).path).toBe(`${path}-lasting`);
  });

  it("lives through a restart of the server", async () => {
    await client.create(path, bytes("kept"));
    const connected = nextState(client, "connected");
    await server.member.restart();
    const change = await connected;
    expect((await client.getData(path)).data?.toString()).toBe("kept");
    // A machine slower than the session's timeout may have let it expire.
    expect(change.state.name).toBe("connected");
  });

  it("notices a connection that is silent but open within two thirds of the timeout", async () => {
    const suspended = nextState(client, "suspended");
    const stalledAt = performance.now();
    proxy.stall();
    const { reason } = await suspended;
    const tookMs = performance.now() - stalledAt;
    expect(reason?.message).toContain("no sign of life");
    expect(tookMs).toBeLessThan((sessionTimeoutMs * 2) / 3 + 250);
    expect(tookMs).toBeGreaterThan(sessionTimeoutMs / 3 - 50);
    const connected = nextState(client, "connected");
    proxy.resume();
    await connected;
  });

  it("is declared lost by the local deadline when no server answers, before any server can expire it", async () => {
    const before = sessionId();
    await client.create(path, null, { mode: "ephemeral" });
    const observer = await connect({ servers: server.hosts });
    const gone = new EventLog();
    await observer.exists(path, { watch: gone.watcher });
    let expiredAt = 0;
    let goneAt = 0;
    let deadline = 0;
    const stop = client.onStateChange(({ state }) => {
      if (state.name === "suspended") deadline = client.sessionDeadline;
      if (state.name === "expired") expiredAt = systemClock.now();
    });
    const expired = nextState(client, "expired");
    const stalledAt = systemClock.now();
    proxy.stall();
    await Promise.all([expired, gone.next().then(() => (goneAt = systemClock.now()))]);
    stop();
    expect(expiredAt).toBeLessThan(goneAt);
    expect(expiredAt).toBeGreaterThanOrEqual(deadline);
    expect(expiredAt - deadline).toBeLessThan(100);
    expect(expiredAt - stalledAt).toBeLessThanOrEqual(sessionTimeoutMs);
    expect(client.state.name).toBe("connecting");
    const connected = nextState(client, "connected");
    proxy.resume();
    expect(await connected).toMatchObject({ newSession: true });
    expect(sessionId()).not.toBe(before);
    await observer.close();
  });

  it("keeps its session while nothing is asked of it", async () => {
    const before = sessionId();
    const states: string[] = [];
    client.onStateChange(({ state }) => states.push(state.name));
    await new Promise((resolve) => setTimeout(resolve, sessionTimeoutMs * 1.5));
    expect(states).toEqual([]);
    expect(sessionId()).toBe(before);
    expect(client.sessionDeadline - systemClock.now()).toBeGreaterThan(sessionTimeoutMs * 0.5);
  });

  it("says of a write whose answer is lost that it may have been applied, and never sends it again", async () => {
    await client.create(path, bytes("0"));
    const held = proxy.holdReplies();
    const write = failureOf(client.setData(path, bytes("1"), { version: 0 }));
    const read = failureOf(client.getData(path));
    await held.arrived(2);
    const connected = nextState(client, "connected");
    proxy.cut();
    proxy.resume();
    expect(await write).toMatchObject({ name: "ConnectionLossError", outcome: "unknown", operation: "setData", path });
    expect((await read) as ConnectionLossError).toMatchObject({ name: "ConnectionLossError", outcome: "not-applied" });
    await connected;
    expect((await client.getData(path)).stat.version).toBe(1);
  });

  it("times out requests: unknown for writes that were sent, not applied for what was not", async () => {
    await client.create(path, bytes("0"));
    proxy.stall("toClient");
    const sent = await failureOf(client.setData(path, bytes("1"), { timeoutMs: 100 }));
    expect(sent).toBeInstanceOf(OperationTimeoutError);
    expect(sent).toMatchObject({ outcome: "unknown" });
    const suspended = nextState(client, "suspended");
    proxy.refuse();
    proxy.cut();
    await suspended;
    const unsent = await failureOf(client.setData(path, bytes("2"), { timeoutMs: 200 }));
    expect(unsent).toBeInstanceOf(OperationTimeoutError);
    expect(unsent).toMatchObject({ outcome: "not-applied" });
    expect((unsent as Error).message).toContain("ECONNREFUSED");
    proxy.resume();
    await proxy.accept();
    expect((await client.getData(path)).data?.toString()).toBe("1");
  });

  it("aborts: reads and unsent writes with the reason, sent writes as unknown, with one listener per signal", async () => {
    await client.create(path, bytes("0"));
    const reason = new Error("enough");
    const controller = new AbortController();
    const { signal } = controller;
    const warnings: Error[] = [];
    const onWarning = (warning: Error): unknown => warnings.push(warning);
    process.on("warning", onWarning);
    await Promise.all(Array.from({ length: 30 }, () => client.getData(path, { signal })));
    proxy.stall();
    const reads = Array.from({ length: 30 }, () => failureOf(client.getData(path, { signal })));
    const write = failureOf(client.setData(path, bytes("1"), { signal }));
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(reason);
    for (const read of reads) expect(await read).toBe(reason);
    expect(await write).toMatchObject({ name: "AbortedError", outcome: "unknown", cause: reason });
    expect(await failureOf(client.getData(path, { signal }))).toBe(reason);
    process.off("warning", onWarning);
    proxy.resume();
    expect(warnings).toEqual([]);
  });

  it("refuses more requests than may wait", async () => {
    const small = await connect({ servers: server.hosts, maxPending: 10 });
    const calls = await Promise.allSettled(Array.from({ length: 12 }, () => small.exists("/")));
    expect(calls.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(calls[11]).toMatchObject({ reason: { name: "BusyError" } });
    await small.close();
  });

  it("says why no session came about", async () => {
    proxy.refuse();
    const error = await failureOf(connect({ servers: proxy.host, timeoutMs: 300 }));
    expect(error).toBeInstanceOf(OperationTimeoutError);
    expect((error as Error).message).toContain(`cannot connect to ${proxy.host}`);
    const signal = AbortSignal.abort(new Error("not now"));
    expect(await failureOf(connect({ servers: proxy.host, signal }))).toBe(signal.reason);
  });
});
