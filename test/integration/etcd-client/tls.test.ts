import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCertificates } from "../../servers/certificates.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { bytes, failureOf, valueOf, withClient } from "./support/fixtures.js";

describe("TLS", () => {
  let server: EtcdServer;
  let mutual: EtcdServer;

  beforeAll(async () => {
    [server, mutual] = await Promise.all([startEtcd({ tls: true }), startEtcd({ tls: "mutual" })]);
  });
  afterAll(() => Promise.all([server?.close(), mutual?.close()]));

  it("talks to a server whose authority it trusts", async () => {
    await withClient({ endpoints: [server.endpoint], tls: { ca: server.tls!.ca } }, async (client) => {
      await client.kv.put({ key: bytes("k"), value: bytes("v") });
      expect(await valueOf(client, "k")).toBe("v");
    });
  });

  it("takes endpoints without a scheme for TLS when it is configured", async () => {
    await withClient({ endpoints: [server.member.host], tls: { ca: server.tls!.ca } }, async (client) => {
      expect(await valueOf(client, "k")).toBe("v");
    });
  });

  it("refuses a server of another authority, and says why", async () => {
    const ca = readFileSync((await testCertificates()).strangerCa);
    await withClient({ endpoints: [server.endpoint], tls: { ca }, timeoutMs: 500 }, async (client) => {
      const error = await failureOf(client.kv.put({ key: bytes("k") }));
      expect(error).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
      expect(error.message).toMatch(/certificate|self.signed/);
    });
  });

  it("checks the certificate for the name given instead of the host", async () => {
    const named = (serverName: string) => ({ ca: server.tls!.ca, serverName });
    await withClient({ endpoints: [server.endpoint], tls: named("localhost") }, async (client) => {
      expect(await valueOf(client, "k")).toBe("v");
    });
    await withClient({ endpoints: [server.endpoint], tls: named("other.example"), timeoutMs: 500 }, async (client) => {
      expect((await failureOf(client.kv.range({ key: bytes("k") }))).message).toContain("other.example");
    });
  });

  it("shows its own certificate to a server that asks for one", async () => {
    await withClient({ endpoints: [mutual.endpoint], tls: mutual.tls }, async (client) => {
      await client.kv.put({ key: bytes("k"), value: bytes("mutual") });
      expect(await valueOf(client, "k")).toBe("mutual");
    });
    await withClient({ endpoints: [mutual.endpoint], tls: { ca: mutual.tls!.ca }, timeoutMs: 800 }, async (client) => {
      expect((await failureOf(client.kv.put({ key: bytes("k") }))).outcome).toBe("not-applied");
    });
  });
});
