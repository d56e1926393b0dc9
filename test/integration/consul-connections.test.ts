import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../../src/connect.js";
import { connectConsul } from "../../src/consul/index.js";
import type { Store } from "../../src/core/store.js";
import { httpOk } from "../servers/http-request.js";
import { type ConsulServer, skipped, startConsul } from "../servers/index.js";

describe.skipIf(skipped("consul"))("ways to a Consul agent", () => {
  const opened: Store[] = [];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "kvasir-consul-"));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
  });
  afterAll(() => rm(folder, { recursive: true }));

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

  it("TLS with a client certificate, and none without it", async () => {
    const server = await startConsul({ tls: "mutual", own: true });
    try {
      const { ca, cert, key } = server.tls!;
      await works(await connectConsul({ endpoints: [server.hosts], tls: { ca, cert, key } }));
      await works(await connect(`consuls://${server.hosts}`, { tls: { ca, cert, key } }));
      const without = connectConsul({ endpoints: [server.hosts], tls: { ca }, connectTimeoutMs: 1_000 });
      await expect(without).rejects.toMatchObject({ code: "UNREACHABLE" });
      const unknown = connectConsul({ endpoints: [server.hosts], tls: true, connectTimeoutMs: 1_000 });
      await expect(unknown).rejects.toMatchObject({ code: "UNREACHABLE" });
    } finally {
      await Promise.all(opened.splice(0).map((store) => store.close()));
      await server.close();
    }
  });

  describe("with access control, also at a unix socket", () => {
    const token = "11111111-2222-3333-4444-555555555555";
    let server: ConsulServer;
    let socket: string;

    beforeAll(async () => {
      socket = path.join(folder, "consul.sock");
      const addresses = { http: `127.0.0.1 unix://${socket}` };
      server = await startConsul({ acl: { token }, own: true, extraConfig: { addresses } });
    });
    afterAll(() => server?.close());

    it("the socket", async () => {
      await works(await connectConsul({ endpoints: [`unix:${socket}`], token }));
      await works(await connect(`consul:${socket}`, { token }));
    });

    it("a URL with a token, a datacenter and a prefix", async () => {
      await works(await connect(`consul://${token}@${server.hosts}/some/app?datacenter=dc1`));
      const elsewhere = connect(`consul://${token}@${server.hosts}?datacenter=nowhere`, { connectTimeoutMs: 500 });
      await expect(elsewhere).rejects.toThrow();
    });

    it("address and token from the environment, when asked", async () => {
      const before = { ...process.env };
      Object.assign(process.env, { CONSUL_HTTP_ADDR: server.endpoint, CONSUL_HTTP_TOKEN: token });
      try {
        await works(await connectConsul({ fromEnvironment: true }));
        const without = await connectConsul({ endpoints: [server.hosts] });
        opened.push(without);
        await expect(without.put("k", "1")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
      } finally {
        process.env = before;
      }
    });

    it("a token file that is read again when the token is refused", async () => {
      const file = path.join(folder, "token");
      const other = JSON.parse(
        await httpOk(`${server.endpoint}/v1/acl/token`, {
          method: "PUT",
          headers: { "x-consul-token": token },
          body: JSON.stringify({ Policies: [{ Name: "global-management" }] }),
        }),
      ) as { AccessorID: string; SecretID: string };
      await writeFile(file, `${other.SecretID}\n`);
      const store = await connectConsul({ endpoints: [server.hosts], tokenFile: file });
      opened.push(store);
      await store.put("k", "1");
      await writeFile(file, `${token}\n`);
      await httpOk(`${server.endpoint}/v1/acl/token/${other.AccessorID}`, {
        method: "DELETE",
        headers: { "x-consul-token": token },
      });
      await expect.poll(() => store.put("k", "2").then(() => "done", String)).toBe("done");
      expect((await store.get("k"))?.text()).toBe("2");
    });
  });
});
