import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EtcdClient } from "../../../src/etcd/client/index.js";
import { systemClock } from "../../../src/util/clock.js";
import { createProxy, type EtcdServer, startEtcd, type TcpProxy } from "../../servers/index.js";
import { bytes, eventually, failureOf, somethingSent, text, valueOf } from "./support/fixtures.js";

describe("leases", () => {
  let server: EtcdServer;
  let link: TcpProxy;
  let direct: EtcdClient;
  let client: EtcdClient;

  beforeAll(async () => {
    server = await startEtcd();
    direct = new EtcdClient({ endpoints: [server.endpoint] });
  });
  afterAll(async () => {
    direct?.close();
    await server?.close();
  });
  beforeEach(async () => {
    link = await createProxy(server.endpoint);
    client = new EtcdClient({ endpoints: [link.host] });
  });
  afterEach(async () => {
    client.close();
    await link.close();
  });

  it("grants whole seconds, attaches keys, and deletes them with the lease", async () => {
    const { id, ttlMs } = await client.leases.grant(29_001);
    expect(ttlMs).toBe(30_000);
    await client.kv.put({ key: bytes("leased"), lease: id });
    const left = await client.leases.timeToLive(id, { keys: true });
    expect(left?.grantedMs).toBe(30_000);
    expect(left?.leftMs).toBeGreaterThan(25_000);
    expect(left?.keys.map(text)).toEqual(["leased"]);
    await client.leases.revoke(id);
    expect(await valueOf(client, "leased")).toBeUndefined();
    expect(await client.leases.timeToLive(id)).toBeUndefined();
    await client.leases.revoke(id);
  });

  it("keeps a lease alive past its term while it is renewed, and loses it when it is not", async () => {
    const { id, ttlMs } = await client.leases.grant(2_000);
    await client.kv.put({ key: bytes("kept"), lease: id });
    const until = systemClock.now() + 2 * ttlMs;
    while (systemClock.now() < until) {
      const before = systemClock.now();
      const term = await client.leases.renew(id);
      expect(term).toMatchObject({ id, ttlMs });
      expect(term.sentAt).toBeGreaterThanOrEqual(before);
      await new Promise((resolve) => setTimeout(resolve, ttlMs / 4));
    }
    expect(await valueOf(client, "kept")).toBe("");
    await eventually(() => valueOf(client, "kept")).toBeUndefined();
    const error = await failureOf(client.leases.renew(id));
    expect(error).toMatchObject({ reason: "lease-not-found", endpoint: link.host });
    expect(error.message).toContain(id.toString(16));
  });

  it("renews three hundred leases at once on one connection", async () => {
    const bound = { timeoutMs: 30_000 };
    const leases = await Promise.all(Array.from({ length: 300 }, () => client.leases.grant(60_000, bound)));
    const terms = await Promise.all(leases.map(({ id }) => client.leases.renew(id, bound)));
    expect(terms.map(({ id }) => id)).toEqual(leases.map(({ id }) => id));
    expect(link.accepted).toBe(1);
  });

  it("counts an answer for the oldest request that it can belong to", async () => {
    const { id } = await client.leases.grant(60_000);
    await client.leases.renew(id);
    link.holdReplies();
    link.resetCount();
    const abort = new AbortController();
    const first = failureOf(client.leases.renew(id, { signal: abort.signal }));
    await somethingSent(link);
    abort.abort();
    await first;
    const firstWasSentBefore = systemClock.now();
    const second = client.leases.renew(id);
    link.resume();
    expect((await second).sentAt).toBeLessThan(firstWasSentBefore);
    const shared = await Promise.all([client.leases.renew(id), client.leases.renew(id)]);
    expect(shared[0]).toEqual(shared[1]);
  });

  it("sends a renewal again when the stream is cut", async () => {
    const { id } = await client.leases.grant(60_000);
    await client.leases.renew(id);
    link.holdReplies();
    link.resetCount();
    const renewal = client.leases.renew(id);
    await somethingSent(link);
    const cutAt = systemClock.now();
    link.cut();
    link.resume();
    expect((await renewal).sentAt).toBeGreaterThanOrEqual(cutAt);
  });

  it("says so when no answer comes, and gives the silent line up", async () => {
    const { id } = await client.leases.grant(60_000);
    await client.leases.renew(id);
    const { accepted } = link;
    link.stall();
    const error = await failureOf(client.leases.renew(id, { timeoutMs: 1_100 }));
    expect(error).toMatchObject({ reason: "timeout", status: "DEADLINE_EXCEEDED", endpoint: link.host });
    link.resume();
    await client.leases.renew(id);
    expect(link.accepted).toBeGreaterThan(accepted);
    expect(client.state.state).toBe("connected");
  });

  it("goes on after the server was killed and started again", async () => {
    const { id } = await client.leases.grant(60_000);
    await client.leases.renew(id);
    await server.member.kill();
    const renewal = client.leases.renew(id, { timeoutMs: 20_000 });
    await server.member.start();
    expect(await renewal).toMatchObject({ id, ttlMs: 60_000 });
  });

  it("ends a renewal on request", async () => {
    const { id } = await client.leases.grant(60_000);
    link.stall();
    const abort = new AbortController();
    const failure = failureOf(client.leases.renew(id, { signal: abort.signal }));
    abort.abort();
    expect(await failure).toMatchObject({ reason: "aborted" });
    const closing = failureOf(client.leases.renew(id));
    client.close();
    expect(await closing).toMatchObject({ reason: "closed" });
    expect(await failureOf(client.leases.renew(id))).toMatchObject({ reason: "closed", outcome: "not-applied" });
  });
});
