import { afterEach, describe, expect, it } from "vitest";
import {
  type ConsulOptions,
  type ConsulServer,
  httpOk,
  httpRequest,
  skipped,
  startConsul,
} from "../../servers/index.js";

const open: ConsulServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function start(options: ConsulOptions = {}): Promise<ConsulServer> {
  const server = await startConsul({ own: true, ...options });
  open.push(server);
  return server;
}

const put = (server: ConsulServer, key: string, body: string): Promise<string> =>
  httpOk(`${server.endpoint}/v1/kv/${key}`, { method: "PUT", body, tls: server.tls });

async function get(server: ConsulServer, key: string, endpoint = server.endpoint): Promise<string | undefined> {
  const { status, text } = await httpRequest(`${endpoint}/v1/kv/${key}?raw`, { tls: server.tls });
  return status === 404 ? undefined : text;
}

describe.skipIf(skipped("consul"))("startConsul", () => {
  it("starts, answers, keeps data over stop and kill, freezes, and loses data when told to", async () => {
    const server = await start({ sessionTtlMin: "1s" });
    await put(server, "k", "v");
    const session = { method: "PUT", body: JSON.stringify({ TTL: "2s" }) };
    await httpOk(`${server.endpoint}/v1/session/create`, session);
    await server.member.restart();
    expect(await get(server, "k")).toBe("v");

    await server.member.kill();
    await expect(get(server, "k")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.member.start();
    expect(await get(server, "k")).toBe("v");

    server.member.pause();
    await expect(httpRequest(`${server.endpoint}/v1/kv/k`, { timeoutMs: 300 })).rejects.toThrow(/abort/i);
    server.member.resume();
    expect(await get(server, "k")).toBe("v");

    await server.member.restart({ emptyData: true });
    expect(await get(server, "k")).toBeUndefined();
  });

  it("has Consul's own shortest ttl when none is set", async () => {
    const server = await start();
    const session = { method: "PUT", body: JSON.stringify({ TTL: "2s" }) };
    expect((await httpRequest(`${server.endpoint}/v1/session/create`, session)).text).toContain("must be between [10s");
  });

  it("serves TLS with client certificates, and denies without the token of the access control", async () => {
    const token = "5f1d7c1e-7a55-4a3c-9d0e-0b8a5b7c1d2e";
    const server = await start({ tls: "mutual", acl: { token } });
    const url = `${server.endpoint}/v1/kv/k`;
    expect(url).toMatch(/^https:/);
    const { ca } = server.tls!;
    await expect(httpOk(url, { tls: { ca } })).rejects.toThrow(/alert|ECONNRESET|hang up/);
    expect((await httpRequest(url, { method: "PUT", body: "v", tls: server.tls })).status).toBe(403);
    const headers = { "x-consul-token": token };
    await httpOk(url, { method: "PUT", body: "v", tls: server.tls, headers });
    expect(await httpOk(`${url}?raw`, { tls: server.tls, headers })).toBe("v");
    expect((await server.waitForLeader()).name).toBe("consul1");
  });

  it("elects another leader of three when the leader is killed", async () => {
    const server = await start({ cluster: 3 });
    await put(server, "k", "v");
    const first = await server.waitForLeader();
    await first.kill();
    const second = await server.waitForLeader({ not: first });
    expect(await get(server, "k", second.endpoint)).toBe("v");
    await first.start();
    expect(await get(server, "k", first.endpoint)).toBe("v");
  });
});
