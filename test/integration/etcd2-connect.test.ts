import { afterEach, describe, expect, it } from "vitest";
import { connect } from "../../src/connect.js";
import type { StoreError } from "../../src/core/errors.js";
import type { Store } from "../../src/core/store.js";
import { connectEtcd2 } from "../../src/etcd2/index.js";
import { type EtcdServer, skipped, startEtcd } from "../servers/index.js";
import { httpOk } from "../servers/http-request.js";

describe.skipIf(skipped("etcd"))("ways to the v2 API of an etcd", () => {
  const opened: Store[] = [];
  const servers: EtcdServer[] = [];

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  async function start(options: Parameters<typeof startEtcd>[0]): Promise<EtcdServer> {
    const server = await startEtcd({ own: true, version: "3.3", v2: true, ...options });
    servers.push(server);
    return server;
  }

  /** A put, a get, a watch and a lock go through. */
  async function works(store: Store): Promise<void> {
    opened.push(store);
    const watch = store.watch("k")[Symbol.asyncIterator]();
    await watch.next();
    await store.put("k", "1");
    expect((await watch.next()).value?.text()).toBe("1");
    expect((await store.get("k"))?.text()).toBe("1");
    await (await store.newLock("lock").lock()).unlock();
    await store.delete("k");
  }

  it("TLS with a client certificate, from options and from a URL, and none without it", async () => {
    const server = await start({ tls: "mutual" });
    const { ca, cert, key } = server.tls!;
    await works(await connectEtcd2({ endpoints: server.hosts, tls: { ca, cert, key } }));
    await works(await connectEtcd2({ endpoints: server.endpoint, prefix: "/some//app/", tls: { ca, cert, key } }));
    await works(await connect(`etcd2s://${server.hosts}/app`, { tls: { ca, cert, key } }));
    const without = connectEtcd2({ endpoints: server.hosts, tls: { ca }, connectTimeoutMs: 1_000 });
    await expect(without).rejects.toMatchObject({ code: "UNREACHABLE", backend: "etcd2" });
    const unknown = connect(`etcd2s://${server.hosts}`, { connectTimeoutMs: 1_000 });
    await expect(unknown).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  it("user and password, and what the server says of others; they are in no message", async () => {
    const auth = { user: "kvasir", password: "open:sesame/1" };
    const server = await start({ auth });
    const { user, password } = auth;
    const authorization = `Basic ${Buffer.from(`root:${password}`).toString("base64")}`;
    // As it comes, whoever names no user may do everything.
    const revoke = { role: "guest", revoke: { kv: { read: ["/*"], write: ["/*"] } } };
    const headers = { authorization, "content-type": "application/json" };
    const body = JSON.stringify(revoke);
    await httpOk(`${server.endpoint}/v2/auth/roles/guest`, { method: "PUT", headers, body });
    await works(await connectEtcd2({ endpoints: server.hosts, auth: { username: user, password } }));
    await works(await connect(`etcd2://${user}:${encodeURIComponent(password)}@${server.hosts}/app`));

    const nobody = await connectEtcd2({ endpoints: server.hosts });
    const wrong = await connectEtcd2({ endpoints: server.hosts, auth: { username: user, password: "secret-wrong" } });
    opened.push(nobody, wrong);
    await expect(nobody.put("k", "1")).rejects.toMatchObject({ code: "UNAUTHENTICATED", outcome: "not-applied" });
    const denied = await wrong.put("k", "1").catch((error: unknown) => error);
    expect(denied).toMatchObject({ code: "PERMISSION_DENIED", outcome: "not-applied" });
    expect((denied as StoreError).message).toContain("the password is wrong");
    expect(JSON.stringify(denied) + String(denied)).not.toContain("secret-wrong");
    await expect(wrong.watch("k")[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    await expect(wrong.newLock("k").lock()).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("a server without the v2 API is told from one that is not there", async () => {
    const server = await start({ version: "3.5", v2: false });
    const error = await connectEtcd2({ endpoints: server.hosts }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NOT_SUPPORTED" });
    expect((error as StoreError).message).toContain("--enable-v2");
    await server.close();
    const nobody = connectEtcd2({ endpoints: server.hosts, connectTimeoutMs: 500 });
    await expect(nobody).rejects.toMatchObject({ code: "UNREACHABLE", message: expect.stringContaining(server.hosts) });
  });

  it("3.5 serves it too when asked to", async () => {
    await works(await connectEtcd2({ endpoints: (await start({ version: "3.5" })).hosts }));
  });

  it("several members: the first that answers", async () => {
    const server = await start({});
    await works(await connectEtcd2({ endpoints: ["127.0.0.1:1", server.hosts] }));
    await works(await connect(`etcd2://127.0.0.1:1,${server.hosts}`));
  });
});
