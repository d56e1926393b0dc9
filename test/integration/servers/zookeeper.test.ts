import { afterEach, describe, expect, it } from "vitest";
import {
  createProxy,
  skipped,
  startZooKeeper,
  type ZooKeeperOptions,
  type ZooKeeperServer,
} from "../../servers/index.js";
import { RawZooKeeper } from "./raw-zookeeper.js";

const open: { close(): unknown }[] = [];
const noNode = -101;
const loginRequired = -124;

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(options: ZooKeeperOptions = {}): Promise<ZooKeeperServer> {
  const server = await startZooKeeper({ own: true, ...options });
  open.push(server);
  return server;
}

async function connect(server: ZooKeeperServer, port?: number): Promise<RawZooKeeper> {
  const client = await RawZooKeeper.connect(server, port);
  open.push(client);
  return client;
}

describe.skipIf(skipped("zookeeper"))("startZooKeeper", () => {
  it.each(["3.8", "3.4"])(
    "starts %s, keeps data over stop and kill, freezes, and loses data when told to",
    async (version) => {
      const server = await start({ version });
      expect(server.version.startsWith(`${version}.`)).toBe(true);
      expect(await (await connect(server)).create("/k", "v")).toBe(0);

      await server.member.restart();
      expect(await (await connect(server)).getData("/k")).toBe("v");
      await server.member.kill();
      await expect(connect(server)).rejects.toMatchObject({ code: "ECONNREFUSED" });
      await server.member.start();
      const client = await connect(server);
      expect(await client.getData("/k")).toBe("v");

      server.member.pause();
      const late = client.getData("/k");
      const first = await Promise.race([late, server.ask("ruok").catch((error: Error) => error.message)]);
      expect(first).toContain("no answer to ruok");
      server.member.resume();
      expect(await late).toBe("v");

      await server.member.restart({ emptyData: true });
      expect(await (await connect(server)).getData("/k")).toBe(noNode);
    },
  );

  it("elects another leader of three when the leader is killed, and fills an emptied member again", async () => {
    const server = await start({ cluster: 3 });
    const first = await server.waitForLeader();
    expect(await (await connect(server)).create("/k", "v")).toBe(0);
    await first.kill();
    const second = await server.waitForLeader({ not: first });
    expect(await (await connect(server, second.port)).getData("/k")).toBe("v");
    await first.restart({ emptyData: true });
    expect(await (await connect(server, first.port)).getData("/k")).toBe("v");
  });

  it("serves TLS, with a client certificate in mutual mode", async () => {
    const server = await start({ version: "3.9", tls: "mutual" });
    expect(await (await connect(server)).create("/k", "v")).toBe(0);
    const { ca } = server.tls!;
    const anonymous = Object.assign(Object.create(server) as ZooKeeperServer, { tls: { ca } });
    await expect(connect(anonymous)).rejects.toThrow();
    await expect(startZooKeeper({ version: "3.4", tls: true })).rejects.toThrow("no TLS");
  });

  it("logs a user in by SASL, and turns away who does not log in", async () => {
    const server = await start({ sasl: { user: "alice", password: "secret", required: true } });
    const client = await connect(server);
    expect(await client.login("alice", "secret")).toBe(0);
    expect(await client.create("/k", "v")).toBe(0);
    expect(await (await connect(server)).getData("/k")).toBe(loginRequired);
    const wrong = await connect(server);
    expect(await wrong.login("alice", "guess").catch(() => -1)).toBeLessThan(0);
  });

  it("counts requests through the proxy", async () => {
    const server = await start();
    const proxy = await createProxy(server.endpoint, { count: "zookeeper" });
    open.push(proxy);
    const client = await connect(server, proxy.port);
    expect(proxy.count).toMatchObject({ requests: 0, replies: 0, roundTrips: 1 });
    await client.create("/k", "v");
    expect(await Promise.all([client.getData("/k"), client.getData("/k")])).toEqual(["v", "v"]);
    expect(proxy.count).toMatchObject({ requests: 3, replies: 3 });
  });
});
