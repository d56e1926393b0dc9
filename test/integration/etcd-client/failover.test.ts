import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EtcdConnectionState } from "../../../src/etcd/client/index.js";
import { createProxy, type EtcdServer, startEtcd } from "../../servers/index.js";
import { bytes, eventually, failureOf, valueOf, withClient } from "./support/fixtures.js";
import { freePort } from "./support/free-port.js";

describe("several endpoints", () => {
  let server: EtcdServer;

  beforeAll(async () => {
    server = await startEtcd({ cluster: 3 });
  });
  afterAll(() => server?.close());

  it("passes over endpoints where nobody listens, and stays with the one that answers", async () => {
    const endpoints = [`127.0.0.1:${await freePort()}`, server.members[1]!.endpoint, server.members[2]!.endpoint];
    await withClient({ endpoints }, async (client) => {
      const states: EtcdConnectionState[] = [];
      client.onStateChange((state) => states.push(state));
      for (let at = 0; at < 5; at++) await client.kv.put({ key: bytes("k"), value: bytes(`${at}`) });
      expect(states).toEqual([{ state: "connected", endpoint: server.members[1]!.host }]);
    });
  });

  it("passes over an endpoint that accepts connections and says nothing", async () => {
    const mute = await createProxy(server.endpoint);
    mute.stall();
    await withClient({ endpoints: [mute.host, server.members[1]!.host], dialTimeoutMs: 300 }, async (client) => {
      await client.kv.put({ key: bytes("k") });
      expect(client.state.endpoint).toBe(server.members[1]!.host);
    });
    await mute.close();
  });

  it("moves on when its member is killed, and loses no acknowledged write", async () => {
    const victim = server.members[0]!;
    await withClient({ endpoints: server.endpoints, timeoutMs: 10_000 }, async (client) => {
      const acknowledged: number[] = [];
      const unsure: number[] = [];
      const states: string[] = [];
      client.onStateChange((state) => states.push(state.state));
      for (let at = 0; at < 60; at++) {
        if (at === 20) void victim.kill();
        const write = client.kv.put({ key: bytes(`kill/${at}`), value: bytes(`${at}`) });
        await write.then(
          () => acknowledged.push(at),
          (error: { outcome: string }) => error.outcome === "unknown" && unsure.push(at),
        );
      }
      expect(states.slice(0, 3)).toEqual(["connected", "suspended", "connected"]);
      expect(acknowledged.length).toBeGreaterThan(40);
      for (const at of acknowledged) expect(await valueOf(client, `kill/${at}`)).toBe(`${at}`);
      expect(unsure.length).toBeLessThanOrEqual(2);
    });
    await victim.start();
  });

  it("leaves a member that has lost its cluster: refused at once, not applied, and the next try goes elsewhere", async () => {
    const [first, second, third] = server.members;
    await withClient({ endpoints: [first!.endpoint], timeoutMs: 15_000 }, async (alone) => {
      await Promise.all([second!.kill(), third!.kill()]);
      // Until its election timeout the member believes in its cluster, and such a write may time out instead.
      const refusal = async (): Promise<string> => (await failureOf(alone.kv.put({ key: bytes("no leader") }))).reason;
      await eventually(refusal).toBe("no-leader");
      const error = await failureOf(alone.kv.put({ key: bytes("no leader") }));
      expect(error).toMatchObject({ reason: "no-leader", outcome: "not-applied" });
      // Any member may answer from what it has.
      await alone.kv.range({ key: bytes("kill/0"), serializable: true });
    });
    second!.spawn();
    third!.spawn();
    await Promise.all([second!.ready(), third!.ready()]);
    await withClient({ endpoints: server.endpoints, timeoutMs: 10_000 }, async (client) => {
      await client.kv.range({ key: bytes("k") });
    });
  });

  it("reads on elsewhere when its member hangs", async () => {
    const victim = server.members[2]!;
    const others = server.members.slice(0, 2).map((member) => member.endpoint);
    await withClient({ endpoints: [victim.endpoint, ...others], timeoutMs: 6_000 }, async (client) => {
      await client.maintenance.status();
      victim.pause();
      try {
        expect(await valueOf(client, "kill/0")).toBe("0");
        expect(client.state.endpoint).not.toBe(victim.host);
      } finally {
        victim.resume();
      }
    });
  });
});

it("comes back to a server that was restarted, with no call to push it", async () => {
  const server = await startEtcd();
  try {
    await withClient({ endpoints: [server.endpoint] }, async (client) => {
      await client.kv.put({ key: bytes("k"), value: bytes("kept") });
      await server.member.kill();
      await eventually(() => client.state.state).toBe("suspended");
      await server.member.start();
      await eventually(() => client.state.state).toBe("connected");
      expect(await valueOf(client, "k")).toBe("kept");
    });
  } finally {
    await server.close();
  }
});
