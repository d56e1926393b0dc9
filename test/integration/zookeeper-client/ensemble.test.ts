import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, NotReadOnlyError, type ZooKeeperClient } from "../../../src/zookeeper/client/index.js";
import { type Member, skipped, startZooKeeper, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, EventLog, failureOf, freshPath, nextState, withClient } from "./support.js";

describe.skipIf(skipped("zookeeper"))("an ensemble of three", () => {
  let ensemble: ZooKeeperServer;

  beforeAll(async () => {
    ensemble = await startZooKeeper({ cluster: 3 });
  });
  afterAll(() => ensemble?.close());

  /** The member that a client is connected to. */
  function memberOf(client: ZooKeeperClient): Member {
    const { state } = client;
    const member = ensemble.members.find(({ host }) => state.name === "connected" && state.server === host);
    if (member === undefined) throw new Error(`not connected to a member but ${state.name}`);
    return member;
  }

  it("spreads clients over its members", async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect({ servers: ensemble.hosts })));
    const members = new Set(clients.map((client) => memberOf(client)));
    await Promise.all(clients.map((client) => client.close()));
    expect(members.size).toBeGreaterThan(1);
  });

  it.each(["killed", "paused"] as const)("keeps the session when the member it is with is %s", async (how) => {
    await withClient({ servers: ensemble.hosts, sessionTimeoutMs: 6_000 }, async (client) => {
      const path = freshPath();
      await client.create(path, bytes("1"), { mode: "ephemeral" });
      const log = new EventLog();
      await client.getData(path, { watch: log.watcher });
      const member = memberOf(client);
      const connected = nextState(client, "connected");
      if (how === "killed") await member.kill();
      else member.pause();
      expect(await connected).toMatchObject({ newSession: false, previous: { name: "suspended" } });
      expect(memberOf(client)).not.toBe(member);
      // The others may still be electing a leader.
      const set = await client.setData(path, bytes("2"), { timeoutMs: 30_000 });
      expect(set.stat.version).toBe(1);
      expect(await log.next()).toBe(`nodeDataChanged ${path}`);
      if (how === "killed") await member.start();
      else member.resume();
      await ensemble.waitForLeader();
    });
  });
});

describe.skipIf(skipped("zookeeper"))("a member cut off from its ensemble", () => {
  it("will do for reads when told so, until there is a writable one", async () => {
    const ensemble = await startZooKeeper({
      cluster: 3,
      javaArgs: ["-Dreadonlymode.enabled=true"],
      // Since 3.5 a read-only member grants only sessions of its own.
      extraConfig: { localSessionsEnabled: true, localSessionsUpgradingEnabled: true },
    });
    try {
      const path = freshPath();
      await withClient({ servers: ensemble.hosts }, async (client) => {
        await client.create(path, bytes("kept"));
      });
      const [first, second, third] = ensemble.members as [Member, Member, Member];
      await withClient({ servers: first.host }, async (client) => void (await client.sync()));
      await Promise.all([second.kill(), third.kill()]);
      await withClient({ servers: ensemble.hosts, readOnly: true, timeoutMs: 40_000 }, async (client) => {
        expect(client.state).toMatchObject({ name: "connected", readOnly: true, server: first.host });
        expect((await client.getData(path)).data?.toString()).toBe("kept");
        expect(await failureOf(client.setData(path, bytes("no")))).toBeInstanceOf(NotReadOnlyError);
        const writable = new Promise<void>((resolve) => {
          client.onStateChange(({ state }) => {
            if (state.name === "connected" && !state.readOnly) resolve();
          });
        });
        await Promise.all([second.start(), third.start()]);
        await writable;
        expect((await client.setData(path, bytes("yes"), { timeoutMs: 30_000 })).stat.version).toBe(1);
      });
    } finally {
      await ensemble.close();
    }
  });
});

describe.skipIf(skipped("zookeeper"))("a read-only server", () => {
  it("is left for one that takes writes while it goes on itself", async () => {
    const server = await startZooKeeper();
    // Granting a session of its own, and answering whatever it is asked, `isro` truthfully.
    const greeting = `000000250000000000000fa000000000000000ff00000010${"11".repeat(16)}01`;
    const alone = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        if (chunk.toString() === "isro") socket.end("ro");
        else if (chunk.length > 40) socket.write(Buffer.from(greeting, "hex"));
        else socket.write(Buffer.from(`00000014${chunk.toString("hex", 4, 8)}${"00".repeat(16)}`, "hex"));
      });
    });
    alone.listen(0, "127.0.0.1");
    await once(alone, "listening");
    const address = alone.address();
    const first = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    // This chance leaves the servers in their order.
    const random = (): number => 0.999;
    const client = await connect({ servers: [first, server.hosts], readOnly: true, random });
    try {
      expect(client.state).toMatchObject({ readOnly: true, server: first });
      expect(client.sessionDeadline).toBe(Number.NEGATIVE_INFINITY);
      const change = await nextState(client, "connected");
      expect(change.state).toMatchObject({ readOnly: false, server: server.hosts });
      expect((await client.create(freshPath())).zxid).toBeGreaterThan(0n);
    } finally {
      await client.close();
      alone.close();
      await server.close();
    }
  });
});

describe.skipIf(skipped("zookeeper"))("a server that comes back without its data", () => {
  it("is accepted after the old session has expired, and all watches are told", async () => {
    const server = await startZooKeeper({ own: true });
    const client = await connect({ servers: server.hosts, sessionTimeoutMs: 1_500 });
    try {
      const path = freshPath();
      const log = new EventLog();
      for (let at = 0; at < 50; at++) await client.create(`${path}-${at}`, bytes("lost"));
      await client.getData(`${path}-7`, { watch: log.watcher });
      const expired = nextState(client, "expired");
      await server.restart({ emptyData: true });
      await expired;
      if (client.state.name !== "connected") await nextState(client, "connected");
      expect((await client.exists(`${path}-7`)).stat).toBeUndefined();
      expect(await log.next()).toBe(`nodeDeleted ${path}-7`);
      expect((await client.create(path)).zxid).toBeLessThan(50n);
    } finally {
      await client.close();
      await server.close();
    }
  });
});

describe("a hostile server", () => {
  /** Listens, and lets `talk` speak on each connection after it has read the first words. */
  async function listen(talk: (socket: Socket, turn: number) => void): Promise<{ server: Server; endpoint: string }> {
    let turn = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => talk(socket, turn++));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return { server, endpoint: `127.0.0.1:${typeof address === "object" ? address?.port : ""}` };
  }

  it.each([
    ["closes at once", []],
    ["promises too much", [0x7fffffff]],
    ["sends a negative length", [-5]],
    ["breaks off the greeting", [8, 0, 0]],
    ["speaks another protocol", [0x48545450, 0x2f312e31]],
  ] as const)("that %s gets nowhere and costs little", async (_, ints) => {
    let turns = 0;
    const { server, endpoint } = await listen((socket, turn) => {
      turns = turn + 1;
      const answer = Buffer.alloc(ints.length * 4);
      ints.forEach((value, at) => answer.writeInt32BE(value, at * 4));
      socket.end(answer);
    });
    const error = await failureOf(connect({ servers: endpoint, timeoutMs: 500 }));
    expect(error).toMatchObject({ name: "OperationTimeoutError" });
    // Pauses that grow: a dead server never means a busy loop.
    expect(turns).toBeGreaterThan(1);
    expect(turns).toBeLessThan(15);
    server.close();
  });

  it("that accepts the session and then answers nonsense does not make a busy loop either", async () => {
    let turns = 0;
    const greeting = Buffer.from(`000000250000000000000fa000000000000000ff00000010${"11".repeat(16)}00`, "hex");
    const { server, endpoint } = await listen((socket, turn) => {
      turns = turn + 1;
      // The answer to the first question, and then one to a question never asked.
      socket.on("data", () => socket.write(Buffer.from(`0000001400000001${"00".repeat(16)}`, "hex")));
      socket.write(greeting);
    });
    const client = await connect({ servers: endpoint, closeTimeoutMs: 50 });
    const failures = [];
    const endAt = performance.now() + 700;
    while (performance.now() < endAt) failures.push(await failureOf(client.getData("/a", { timeoutMs: 200 })));
    expect(failures.length).toBeGreaterThan(1);
    for (const failure of failures) expect((failure as Error).name).toMatch(/^(ConnectionLoss|OperationTimeout)Error$/);
    expect(turns).toBeGreaterThan(1);
    expect(turns).toBeLessThan(15);
    await client.close();
    server.close();
  });
});
