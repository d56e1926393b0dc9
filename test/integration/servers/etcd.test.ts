import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import {
  createProxy,
  type EtcdOptions,
  type EtcdServer,
  httpOk,
  httpRequest,
  skipped,
  startEtcd,
  testCertificates,
} from "../../servers/index.js";

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function start(options: EtcdOptions = {}): Promise<EtcdServer> {
  const server = await startEtcd({ own: true, ...options });
  open.push(server);
  return server;
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A call of the v3 API through the JSON gateway. */
async function call(server: EtcdServer, method: string, body: unknown, token?: string, endpoint = server.endpoint) {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
  const request = { method: "POST", headers, body: JSON.stringify(body), tls: server.tls, timeoutMs: 5_000 };
  return JSON.parse(await httpOk(`${endpoint}/v3/${method}`, request)) as { token?: string; kvs?: { value: string }[] };
}

async function put(server: EtcdServer, key: string, value: string, token?: string): Promise<void> {
  await call(server, "kv/put", { key: base64(key), value: base64(value) }, token);
}

async function get(server: EtcdServer, key: string, token?: string, endpoint?: string): Promise<string | undefined> {
  const { kvs } = await call(server, "kv/range", { key: base64(key) }, token, endpoint);
  return kvs?.[0] && Buffer.from(kvs[0].value, "base64").toString();
}

describe.skipIf(skipped("etcd"))("startEtcd", () => {
  it("starts, answers, keeps data over stop and kill, freezes, and loses data when told to", async () => {
    const server = await start();
    expect(server.version).toMatch(/^3\.\d+\.\d+$/);
    await put(server, "k", "v");
    expect(await get(server, "k")).toBe("v");

    const { pid } = server.member;
    await server.member.restart();
    expect(server.member.pid).not.toBe(pid);
    expect(await get(server, "k")).toBe("v");

    await server.member.kill();
    expect(server.member.pid).toBeUndefined();
    await expect(httpRequest(`${server.endpoint}/health`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await server.member.start();
    expect(await get(server, "k")).toBe("v");

    server.member.pause();
    await expect(httpRequest(`${server.endpoint}/health`, { timeoutMs: 300 })).rejects.toThrow(/abort/i);
    server.member.resume();
    expect(await get(server, "k")).toBe("v");

    await server.member.restart({ emptyData: true });
    expect(await get(server, "k")).toBeUndefined();
    expect(server.member.logs()).toContain("etcd");
  });

  it("starts the version that is asked for, with the v2 API where that is asked for", async () => {
    const server = await start({ version: "3.5", v2: true });
    expect(server.version).toMatch(/^3\.5\./);
    const answer = await httpOk(`${server.endpoint}/v2/keys/a?value=b`, { method: "PUT" });
    expect(JSON.parse(answer)).toMatchObject({ action: "set", node: { key: "/a", value: "b" } });
    expect((await httpRequest(`${(await start({ version: "3.5" })).endpoint}/v2/keys/a`)).status).toBe(404);
    await expect(startEtcd({ version: "2.0" })).rejects.toThrow("no Debian suite known with version 2.0");
  });

  it("elects another leader when the leader is killed, and takes the old one back", async () => {
    const server = await start({ cluster: 3 });
    expect(server.endpoints).toHaveLength(3);
    const first = await server.waitForLeader();
    await put(server, "k", "v");
    await first.kill();
    const second = await server.waitForLeader({ not: first });
    expect(await get(server, "k", undefined, second.endpoint)).toBe("v");
    await first.start();
    expect(await get(server, "k", undefined, first.endpoint)).toBe("v");
    await expect(first.restart({ emptyData: true })).rejects.toThrow("without its data");
    await server.restart({ emptyData: true });
    expect(await get(server, "k")).toBeUndefined();
  });

  it("serves TLS, and asks for a client certificate in mutual mode", async () => {
    const { strangerCa } = await testCertificates();
    const server = await start({ tls: "mutual" });
    const { ca } = server.tls!;
    await expect(httpOk(`${server.endpoint}/version`, { tls: { ca } })).rejects.toThrow(/alert|ECONNRESET|hang up/);
    const stranger = { ...server.tls!, ca: readFileSync(strangerCa, "utf8") };
    await expect(httpOk(`${server.endpoint}/version`, { tls: stranger })).rejects.toThrow("unable to verify");

    await put(server, "k", "v");
    expect(await get(server, "k")).toBe("v");
  });

  it("asks for a password with auth, also after a restart", async () => {
    const server = await start({ tls: true, auth: { user: "alice", password: "secret" } });
    await expect(put(server, "k", "v")).rejects.toThrow(/user name is empty|permission denied/);
    const { token } = await call(server, "auth/authenticate", { name: "alice", password: "secret" });
    await put(server, "k", "v", token);
    expect(await get(server, "k", token)).toBe("v");
    await server.member.restart();
    const { token: next } = await call(server, "auth/authenticate", { name: "alice", password: "secret" });
    expect(await get(server, "k", next)).toBe("v");
  });

  it("can lose a reply: the write is there, and the client never heard of it", async () => {
    const server = await start();
    const proxy = await createProxy(server.endpoint, { count: "http1" });
    open.push(proxy);
    expect(await get(server, "k", undefined, proxy.endpoint)).toBeUndefined();
    expect(proxy.count).toMatchObject({ requests: 1, replies: 1, roundTrips: 1 });

    const held = proxy.holdReplies();
    const body = JSON.stringify({ key: base64("k"), value: base64("v") });
    const lost = httpOk(`${proxy.endpoint}/v3/kv/put`, { method: "POST", body, timeoutMs: 10_000 });
    await Promise.race([held.arrived(), lost]);
    proxy.cut();
    await expect(lost).rejects.toThrow(/socket hang up|ECONNRESET/);
    expect(await get(server, "k")).toBe("v");
  });
});
