import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ZooKeeperClient, connect } from "../../../src/zookeeper/client/index.js";
import { createProxy, skipped, startZooKeeper, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, failureOf, freshPath, nextState } from "./support.js";

describe.skipIf(skipped("zookeeper"))("TLS with client certificates", () => {
  let server: ZooKeeperServer;
  let client: ZooKeeperClient;

  beforeAll(async () => {
    server = await startZooKeeper({ tls: "mutual" });
    client = await connect({ servers: server.hosts, tls: server.tls });
  });
  afterAll(async () => {
    await client?.close();
    await server?.close();
  });

  it("carries small and large values", async () => {
    const path = freshPath();
    const value = Uint8Array.from({ length: 700_000 }, (_, at) => (at * 17) % 251);
    await client.create(path, value);
    expect(Buffer.compare((await client.getData(path)).data!, value)).toBe(0);
    await client.setData(path, bytes("small"));
    expect((await client.getData(path)).data?.toString()).toBe("small");
  });

  it("answers many requests in flight, each with its own", async () => {
    const paths = Array.from({ length: 100 }, () => freshPath());
    await Promise.all(paths.map((path) => client.create(path, bytes(path))));
    const rounds = 20;
    const start = performance.now();
    for (let round = 0; round < rounds; round++) {
      const replies = await Promise.all(paths.map((path) => client.getData(path)));
      expect(replies.map(({ data }) => data?.toString())).toEqual(paths);
    }
    // Pauses in reading, as without TLS, would let one answer through in each millisecond.
    expect((performance.now() - start) / (rounds * paths.length)).toBeLessThan(0.9);
  });

  it("shows the server who it is", async () => {
    expect((await client.whoAmI()).map(({ scheme }) => scheme)).toContain("x509");
  });

  it("reconnects", async () => {
    const proxy = await createProxy(server.endpoint);
    const other = await connect({ servers: proxy.host, tls: server.tls });
    const connected = nextState(other, "connected");
    proxy.cut();
    expect(await connected).toMatchObject({ newSession: false });
    await other.close();
    await proxy.close();
  });

  it("does not trust a server that it has no reason to trust, nor gets in without a certificate", async () => {
    const stranger = await failureOf(connect({ servers: server.hosts, tls: true, timeoutMs: 800 }));
    expect((stranger as Error).message).toMatch(/certificate/i);
    const { ca } = server.tls!;
    const anonymous = await failureOf(connect({ servers: server.hosts, tls: { ca }, timeoutMs: 800 }));
    expect((anonymous as Error).message).toContain(server.hosts);
    const plain = await failureOf(connect({ servers: server.hosts, timeoutMs: 800 }));
    expect((plain as Error).message).toContain(server.hosts);
  });
});
