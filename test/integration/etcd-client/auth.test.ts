import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EtcdClient, type EtcdError, prefixEnd } from "../../../src/etcd/client/index.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { bytes, eventually, failureOf, text, valueOf, withClient } from "./support/fixtures.js";

const root = { username: "root", password: "secret" };
const guest = { username: "guest", password: "guest" };

describe.each(["3.4", "3.5"])("authentication of etcd %s", (version) => {
  let server: EtcdServer;
  let client: EtcdClient;

  beforeAll(async () => {
    server = await startEtcd({ version });
    client = new EtcdClient({ endpoints: [server.endpoint], auth: root });
    // Credentials do no harm before authentication is on.
    await client.kv.put({ key: bytes("open/k"), value: bytes("1") });
    const { auth } = client;
    await auth.addRole("root");
    await auth.addUser("root", root.password);
    await auth.grantRole("root", "root");
    await auth.addUser(guest.username, guest.password);
    await auth.addRole("reader");
    await auth.grantPermission("reader", { type: "READ", key: bytes("open/"), rangeEnd: prefixEnd(bytes("open/")) });
    await auth.grantRole(guest.username, "reader");
    await auth.enable();
  });
  afterAll(async () => {
    client?.close();
    await server?.close();
  });

  it("gets a token when the server starts to want one", async () => {
    await client.kv.put({ key: bytes("secret/k"), value: bytes("2") });
    expect(await valueOf(client, "secret/k")).toBe("2");
  });

  it("gets a new token, one for all calls, after the server has forgotten it", async () => {
    await server.member.restart();
    const calls = Array.from({ length: 50 }, (_, at) => client.kv.put({ key: bytes(`secret/${at}`) }));
    const results = await Promise.all(calls);
    expect(results).toHaveLength(50);
    for (const result of results) expect(result.header?.revision).toBeGreaterThan(0n);
  });

  it("refuses what the user may not do, and only that", async () => {
    await withClient({ endpoints: [server.endpoint], auth: guest }, async (other) => {
      const [write, read, allowed] = await Promise.all([
        failureOf(other.kv.put({ key: bytes("open/k") })),
        failureOf(other.kv.range({ key: bytes("secret/k") })),
        valueOf(other, "open/k"),
      ]);
      expect(write).toMatchObject({ reason: "permission-denied", outcome: "not-applied" });
      expect(read).toMatchObject({ reason: "permission-denied" });
      expect(allowed).toBe("1");
    });
  });

  it("refuses a wrong password and no password", async () => {
    const wrong = { endpoints: [server.endpoint], auth: { username: "root", password: "guess" } };
    await withClient(wrong, async (other) => {
      const error = await failureOf(other.kv.put({ key: bytes("k") }));
      expect(error).toMatchObject({ reason: "unauthenticated", outcome: "not-applied" });
      expect(error.message).not.toContain("guess");
    });
    await withClient({ endpoints: [server.endpoint] }, async (other) => {
      const error = await failureOf(other.kv.put({ key: bytes("k") }));
      expect(error).toMatchObject({ reason: "unauthenticated", outcome: "not-applied" });
    });
  });

  it("goes on watching and renewing after the token was forgotten", async () => {
    const seen: string[] = [];
    const errors: EtcdError[] = [];
    await withClient({ endpoints: [server.endpoint], auth: root }, async (other) => {
      const lease = await other.leases.grant(30_000);
      const created = new Promise<bigint>((resolve) => {
        other.watcher.watch(
          { key: bytes("secret/watched") },
          {
            onCreated: resolve,
            onEvents: (events) => seen.push(...events.map((event) => text(event.kv?.value)!)),
            onCompacted: () => {},
            onError: (error) => errors.push(error),
          },
        );
      });
      await created;
      await client.kv.put({ key: bytes("secret/watched"), value: bytes("before") });
      await server.member.restart();
      await client.kv.put({ key: bytes("secret/watched"), value: bytes("after") });
      await eventually(() => seen).toEqual(["before", "after"]);
      expect((await other.leases.renew(lease.id)).ttlMs).toBe(30_000);
    });
    expect(errors).toEqual([]);
  });

  it("ends a watch on what the user may not read, and leaves the others alone", async () => {
    await withClient({ endpoints: [server.endpoint], auth: guest }, async (other) => {
      let suspensions = 0;
      const seen: (string | undefined)[] = [];
      const allowed = new Promise<bigint>((resolve) => {
        other.watcher.watch(
          { key: bytes("open/k") },
          {
            onCreated: resolve,
            onSuspended: () => suspensions++,
            onEvents: (events) => seen.push(...events.map((event) => text(event.kv?.value))),
            onCompacted: () => {},
            onError: () => {},
          },
        );
      });
      await allowed;
      const error = await new Promise<EtcdError>((resolve) => {
        other.watcher.watch(
          { key: bytes("secret/k") },
          { onEvents: () => {}, onCompacted: () => {}, onError: resolve },
        );
      });
      expect(error).toMatchObject({ reason: "permission-denied", outcome: "not-applied" });
      await client.kv.put({ key: bytes("open/k"), value: bytes("3") });
      await eventually(() => seen).toEqual(["3"]);
      expect(suspensions).toBe(0);
      expect(other.watcher.size).toBe(1);
    });
  });
});
