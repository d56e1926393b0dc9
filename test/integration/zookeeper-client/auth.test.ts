import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AuthFailedError,
  connect,
  creatorAcl,
  digestAuth,
  digestId,
  InvalidAclError,
  NoAuthError,
  openAcl,
  permissions,
  readAcl,
  saslDigestMd5,
  type ZooKeeperClient,
} from "../../../src/zookeeper/client/index.js";
import { createProxy, skipped, startZooKeeper, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, failureOf, freshPath, nextState, withClient } from "./support.js";

describe.skipIf(skipped("zookeeper")).each(["3.4", "3.8", "3.9"])("authentication on ZooKeeper %s", (version) => {
  let server: ZooKeeperServer;
  let anyone: ZooKeeperClient;

  beforeAll(async () => {
    server = await startZooKeeper({ version });
    anyone = await connect({ servers: server.hosts });
  });
  afterAll(async () => {
    await anyone?.close();
    await server?.close();
  });

  it("lets in by digest whom the ACL names, and nobody else", async () => {
    const path = freshPath();
    const auth = [digestAuth("ann", "secret")];
    await withClient({ servers: server.hosts, auth }, async (ann) => {
      await ann.create(path, bytes("hers"), { acl: creatorAcl });
      expect((await ann.getData(path)).data?.toString()).toBe("hers");
      expect((await ann.getAcl(path)).acl).toEqual([
        { permissions: permissions.all, scheme: "digest", id: digestId("ann", "secret") },
      ]);
    });
    const refused = await failureOf(anyone.getData(path));
    expect(refused).toBeInstanceOf(NoAuthError);
    expect(refused).toMatchObject({ path, operation: "getData" });
    await withClient({ servers: server.hosts, auth: [digestAuth("ann", "guess")] }, async (other) => {
      expect(await failureOf(other.setData(path, null))).toBeInstanceOf(NoAuthError);
    });
  });

  it("authenticates each new connection again, also with what was added later", async () => {
    const path = freshPath();
    const proxy = await createProxy(server.endpoint);
    await withClient({ servers: proxy.host }, async (bob) => {
      await bob.addAuth(digestAuth("bob", "secret"));
      await bob.create(path, bytes("his"), { acl: creatorAcl });
      const connected = nextState(bob, "connected");
      proxy.cut();
      await connected;
      expect((await bob.getData(path)).data?.toString()).toBe("his");
    });
    await proxy.close();
  });

  it("sets ACLs, guarded by their version", async () => {
    const path = freshPath();
    await anyone.create(path);
    const { stat } = await anyone.setAcl(path, [...readAcl, { ...openAcl[0]!, permissions: permissions.admin }]);
    expect(stat.aversion).toBe(1);
    expect(await failureOf(anyone.setData(path, bytes("x")))).toBeInstanceOf(NoAuthError);
    expect(await failureOf(anyone.setAcl(path, openAcl, { version: 0 }))).toMatchObject({ name: "BadVersionError" });
    expect(await failureOf(anyone.setAcl(path, []))).toBeInstanceOf(InvalidAclError);
    await anyone.setAcl(path, openAcl, { version: 1 });
    expect((await anyone.setData(path, bytes("x"))).stat.version).toBe(1);
  });

  it("says so when the server refuses the credentials", async () => {
    const auth = [{ scheme: "no-such-scheme", credentials: "hunter2" }];
    const error = await failureOf(connect({ servers: server.hosts, auth }));
    expect(error).toBeInstanceOf(AuthFailedError);
    expect(JSON.stringify([String(error), error])).not.toContain("hunter2");
  });
});

describe.skipIf(skipped("zookeeper")).each(["3.4", "3.8", "3.9"])("SASL by DIGEST-MD5 on ZooKeeper %s", (version) => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    // 3.4 cannot be told to let in nobody else.
    const required = version !== "3.4";
    server = await startZooKeeper({ version, sasl: { user: "zoe", password: "plain-password", required } });
  });
  afterAll(() => server?.close());

  it("logs in, also after a reconnect", async () => {
    const path = freshPath();
    const proxy = await createProxy(server.endpoint);
    const auth = [saslDigestMd5({ username: "zoe", password: "plain-password" })];
    await withClient({ servers: proxy.host, auth }, async (zoe) => {
      await zoe.create(path, bytes("hers"), { acl: creatorAcl });
      expect((await zoe.getAcl(path)).acl).toMatchObject([{ scheme: "sasl", id: "zoe" }]);
      const connected = nextState(zoe, "connected");
      proxy.cut();
      await connected;
      expect((await zoe.getData(path)).data?.toString()).toBe("hers");
    });
    await proxy.close();
  });

  it("does not get in with a wrong password, or with none where one is required", async () => {
    const auth = [saslDigestMd5({ username: "zoe", password: "guess" })];
    const wrong = await failureOf(connect({ servers: server.hosts, auth, timeoutMs: 1_000 }));
    if (version === "3.4") {
      // It closes the connection before its answer is out.
      expect((wrong as Error).message).toContain("sasl: lost the connection");
      return;
    }
    expect(wrong).toMatchObject({ name: "SessionClosedRequireSaslAuthError" });
    const none = await failureOf(connect({ servers: server.hosts }));
    expect(none).toMatchObject({ name: "SessionClosedRequireSaslAuthError" });
  });
});
