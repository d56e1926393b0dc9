import { describe, expect, it } from "vitest";
import { connect } from "../../src/connect.js";
import { EtcdStore } from "../../src/etcd/index.js";
import { skipped, startEtcd, testCertificates } from "../servers/index.js";

describe.skipIf(skipped("etcd"))("connect to etcd", () => {
  it("takes hosts, credentials and a prefix from a URL", async () => {
    const server = await startEtcd({ auth: { user: "app", password: "p@ss word" } });
    const store = await connect(`etcd://app:p%40ss%20word@127.0.0.1:1,${server.hosts}/some/where`);
    try {
      expect(store).toBeInstanceOf(EtcdStore);
      await store.put("k", "1");
      const { kvs } = await (store as EtcdStore).client.kv.range({ key: new TextEncoder().encode("some/where/k") });
      expect(kvs.length).toBe(1);
      expect((await store.list("")).map(({ key }) => key)).toEqual(["k"]);
    } finally {
      await store.close();
      await server.close();
    }
  });

  it("speaks TLS for etcds:, with certificates from files or as they are", async () => {
    const server = await startEtcd({ tls: "mutual" });
    const { ca, clientCert, clientKey } = await testCertificates();
    const files = new URLSearchParams({ caFile: ca, certFile: clientCert, keyFile: clientKey });
    const { tls } = server;
    const ways = [
      () => connect(`etcds://${server.hosts}/tls?${files.toString()}`),
      () => connect(`etcds://${server.hosts}/tls`, { tls }),
      () => connect({ backend: "etcds", endpoints: server.hosts, prefix: "tls", tls }),
    ];
    try {
      for (const open of ways) {
        const store = await open();
        await Promise.all([store.atomicPut("k", "1", null), store.put("l", "1")]);
        await store.deleteTree("", { root: true });
        await store.close();
      }
      // Neither without TLS, nor with a certificate that nobody vouches for.
      const quick = { connectTimeoutMs: 500 };
      await expect(connect(`etcd://${server.hosts}`, quick)).rejects.toMatchObject({ code: "UNREACHABLE" });
      await expect(connect(`etcds://${server.hosts}`, quick)).rejects.toMatchObject({ code: "UNREACHABLE" });
      await expect(connect({ backend: "etcds", endpoints: server.hosts, ...quick })).rejects.toThrow("UNREACHABLE");
    } finally {
      await server.close();
    }
  });

  it.each([
    ["etcd://", "needs endpoints"],
    ["etcd://h:99999", "not an etcd endpoint"],
    ["etcd://h/?caFile=/tmp/ca.pem", "write etcds:"],
    ["etcds://h/?caFile=/nowhere/ca.pem", "cannot be read"],
    ["etcd://h/?timeout=3", "unknown in a etcd: URL: timeout"],
    ["etcd://u:secret@h/a/../b", "not a usable key"],
  ])("refuses %s", async (url, why) => {
    const error: unknown = await connect(url).catch((reason: unknown) => reason);
    expect(String(error)).toContain(why);
    expect(String(error)).not.toContain("secret");
  });
});
