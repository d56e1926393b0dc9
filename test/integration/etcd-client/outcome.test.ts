import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EtcdClient, putOp } from "../../../src/etcd/client/index.js";
import { createProxy, type EtcdServer, startEtcd, type TcpProxy } from "../../servers/index.js";
import { freePort } from "./support/free-port.js";
import { bytes, eventually, failureOf, somethingSent, valueOf, withClient } from "./support/fixtures.js";

let server: EtcdServer;
let link: TcpProxy;
let direct: EtcdClient;
let client: EtcdClient;

beforeAll(async () => {
  server = await startEtcd({ quotaBytes: 64 * 1024 * 1024 });
  direct = new EtcdClient({ endpoints: [server.endpoint] });
});
afterAll(async () => {
  direct?.close();
  await server?.close();
});
beforeEach(async () => {
  link = await createProxy(server.endpoint);
  client = new EtcdClient({ endpoints: [link.host], timeoutMs: 2_000 });
  await client.maintenance.status();
});
afterEach(async () => {
  client.close();
  await link.close();
});

/** Resolves when the server holds this value, however it got there. */
async function applied(key: string, value: string): Promise<void> {
  while ((await valueOf(direct, key)) !== value);
}

describe("a write that surely was not applied", () => {
  it("found nobody listening", async () => {
    const endpoints = [`127.0.0.1:${await freePort()}`];
    await withClient({ endpoints, timeoutMs: 300 }, async (nowhere) => {
      const error = await failureOf(nowhere.kv.put({ key: bytes("k") }));
      expect(error).toMatchObject({ reason: "unreachable", outcome: "not-applied", endpoint: endpoints[0] });
      expect(error.message).toContain("ECONNREFUSED");
    });
  });

  it("was still waiting for a connection at its deadline", async () => {
    link.refuse();
    link.cut();
    await eventually(() => client.state.state).toBe("suspended");
    const error = await failureOf(client.kv.put({ key: bytes("waiting") }, { timeoutMs: 200 }));
    expect(error).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
    expect(await valueOf(direct, "waiting")).toBeUndefined();
  });

  it("was aborted before it was sent", async () => {
    link.refuse();
    link.cut();
    await eventually(() => client.state.state).toBe("suspended");
    const abort = new AbortController();
    const failure = failureOf(client.kv.put({ key: bytes("aborted") }, { signal: abort.signal }));
    abort.abort(new Error("enough"));
    expect(await failure).toMatchObject({ reason: "aborted", outcome: "not-applied", cause: new Error("enough") });
    const late = failureOf(direct.kv.put({ key: bytes("aborted") }, { signal: abort.signal }));
    expect(await late).toMatchObject({ reason: "aborted", outcome: "not-applied" });
    expect(await valueOf(direct, "aborted")).toBeUndefined();
  });

  it.each([
    [
      "a request over the server's limit",
      "too-large",
      () => direct.kv.put({ key: bytes("k"), value: new Uint8Array(1_700_000) }),
    ],
    [
      "one over the limit of its gRPC server",
      "too-large",
      () => direct.kv.put({ key: bytes("k"), value: new Uint8Array(3_000_000) }),
    ],
    ["an empty key", "invalid", () => direct.kv.put({ key: new Uint8Array(0) })],
    ["an unknown lease", "lease-not-found", () => direct.kv.put({ key: bytes("k"), lease: 12_345n })],
    [
      "too many operations",
      "invalid",
      () => {
        const success = Array.from({ length: 129 }, (_, at) => putOp({ key: bytes(`${at}`) }));
        return direct.kv.txn({ compare: [], success, failure: [] });
      },
    ],
    [
      "the same key put twice in a transaction",
      "invalid",
      () =>
        direct.kv.txn({ compare: [], success: [putOp({ key: bytes("k") }), putOp({ key: bytes("k") })], failure: [] }),
    ],
  ] as const)("was refused for %s", async (_, reason, write) => {
    expect(await failureOf(write())).toMatchObject({ reason, outcome: "not-applied", endpoint: server.member.host });
    expect(await valueOf(direct, "k")).toBeUndefined();
  });
});

describe("a write that may have been applied", () => {
  it("was applied, its reply lost with the connection, and is not sent again", async () => {
    link.holdReplies();
    const failure = failureOf(client.kv.put({ key: bytes("cut"), value: bytes("v") }));
    await applied("cut", "v");
    link.cut();
    expect(await failure).toMatchObject({ reason: "disconnected", outcome: "unknown" });
    link.resume();
    await client.maintenance.status();
    const { kvs } = await direct.kv.range({ key: bytes("cut") });
    expect(kvs[0]?.version).toBe(1n);
  });

  it("was cut off before the server saw it", async () => {
    link.delay(60_000);
    link.resetCount();
    const failure = failureOf(client.kv.put({ key: bytes("swallowed") }, { timeoutMs: 20_000 }));
    await somethingSent(link);
    link.cut();
    expect(await failure).toMatchObject({ reason: "disconnected", outcome: "unknown" });
    expect(await valueOf(direct, "swallowed")).toBeUndefined();
  });

  it("met its deadline on a stalled line, which is then given up", async () => {
    link.stall();
    const before = link.accepted;
    const failure = failureOf(client.kv.put({ key: bytes("stalled") }, { timeoutMs: 1_200 }));
    expect(await failure).toMatchObject({ reason: "timeout", outcome: "unknown", status: "DEADLINE_EXCEEDED" });
    link.resume();
    await client.kv.range({ key: bytes("stalled") });
    expect(link.accepted).toBe(before + 1);
  });

  it("was aborted on its way", async () => {
    link.holdReplies();
    const abort = new AbortController();
    const failure = failureOf(client.kv.put({ key: bytes("under way"), value: bytes("v") }, { signal: abort.signal }));
    await applied("under way", "v");
    abort.abort("enough");
    expect(await failure).toMatchObject({ reason: "aborted", outcome: "unknown", cause: "enough" });
  });

  it("was under way when the client was closed", async () => {
    link.holdReplies();
    const failure = failureOf(client.kv.put({ key: bytes("closing"), value: bytes("v") }));
    await applied("closing", "v");
    client.close();
    expect(await failure).toMatchObject({ reason: "closed", outcome: "unknown" });
  });

  it("met a server killed while it was under way", async () => {
    const doomed = await startEtcd();
    const line = await createProxy(doomed.endpoint);
    try {
      await withClient({ endpoints: [line.host] }, async (other) => {
        await other.maintenance.status();
        doomed.member.pause();
        line.resetCount();
        const failure = failureOf(other.kv.put({ key: bytes("k") }));
        await somethingSent(line);
        await doomed.member.kill();
        expect(await failure).toMatchObject({ reason: "disconnected", outcome: "unknown" });
      });
    } finally {
      await line.close();
      await doomed.close();
    }
  });
});

describe("a read", () => {
  it("is sent again when its answer was lost", async () => {
    await direct.kv.put({ key: bytes("read"), value: bytes("me") });
    link.holdReplies();
    link.resetCount();
    const read = valueOf(client, "read");
    await somethingSent(link);
    link.cut();
    link.resume();
    expect(await read).toBe("me");
  });

  it("waits out a time without a server", async () => {
    link.refuse();
    link.cut();
    await eventually(() => client.state.state).toBe("suspended");
    const read = client.kv.range({ key: bytes("read") });
    await link.accept();
    await read;
    expect(client.state).toEqual({ state: "connected", endpoint: link.host });
  });
});

// Last, because the server takes no writes afterwards.
it("is refused when the backend quota is used up, surely not applied", async () => {
  const value = new Uint8Array(1_400_000);
  const fill = async (): Promise<never> => {
    for (let at = 0; ; at++) await direct.kv.put({ key: bytes(`fill/${at}`), value });
  };
  expect(await failureOf(fill())).toMatchObject({ reason: "no-space", outcome: "not-applied" });
  expect((await direct.maintenance.alarm({ action: 0, memberID: 0n, alarm: 0 })).alarms).toHaveLength(1);
});
