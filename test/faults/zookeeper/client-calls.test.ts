import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import {
  connect,
  digestAuth,
  openAcl,
  type ZooKeeperClient,
  ZooKeeperError,
} from "../../../src/zookeeper/client/index.js";
import { createProxy, startZooKeeper, type TcpProxy, type ZooKeeperServer } from "../../servers/index.js";
import { bytes, failureOf, freshPath, nextState } from "../../integration/zookeeper-client/support.js";

interface Call {
  readonly name: string;
  readonly writes: boolean;
  readonly run: (client: ZooKeeperClient, path: string) => Promise<unknown>;
}

const read = (name: string, run: Call["run"]): Call => ({ name, writes: false, run });
const write = (name: string, run: Call["run"]): Call => ({ name, writes: true, run });

/** Every call that waits for an answer; `path` has a node, `path/child` too. */
const calls: readonly Call[] = [
  write("create", (client, path) => client.create(`${path}/new`, bytes("1"))),
  write("create sequential", (client, path) => client.create(`${path}/n-`, null, { mode: "ephemeralSequential" })),
  write("create container", (client, path) => client.create(`${path}/box`, null, { mode: "container" })),
  write("delete", (client, path) => client.delete(`${path}/child`)),
  write("setData", (client, path) => client.setData(path, bytes("2"))),
  write("setAcl", (client, path) => client.setAcl(path, openAcl)),
  write("multi", (client, path) => client.multi([{ type: "setData", path, data: bytes("3") }])),
  read("exists", (client, path) => client.exists(path)),
  read("getData", (client, path) => client.getData(path)),
  read("getChildren", (client, path) => client.getChildren(path)),
  read("getAcl", (client, path) => client.getAcl(path)),
  read("sync", (client) => client.sync()),
  read("multiRead", (client, path) => client.multiRead([{ type: "getData", path }])),
  read("getEphemerals", (client, path) => client.getEphemerals(path)),
  read("getAllChildrenNumber", (client, path) => client.getAllChildrenNumber(path)),
  read("whoAmI", (client) => client.whoAmI()),
  read("addAuth", (client) => client.addAuth(digestAuth("user", "secret"))),
  read("addWatch", (client, path) => client.addWatch(path, () => {})),
];

const sessionTimeoutMs = 3_000;

describe("a connection that fails in the middle of a call", () => {
  let server: ZooKeeperServer;
  let observer: ZooKeeperClient;
  let proxy: TcpProxy;
  let client: ZooKeeperClient;
  let path: string;

  beforeAll(async () => {
    server = await startZooKeeper();
    observer = await connect({ servers: server.hosts });
  });
  beforeEach(async () => {
    path = freshPath();
    await observer.create(path, bytes("1"));
    await observer.create(`${path}/child`);
    proxy = await createProxy(server.endpoint, { count: "zookeeper" });
    client = await connect({ servers: proxy.host, sessionTimeoutMs, timeoutMs: 30_000 });
  });
  afterEach(async () => {
    await client?.close();
    await proxy?.close();
  });
  afterAll(async () => {
    await observer?.close();
    await server?.close();
  });

  /** How the call must end: writes may have happened, and nothing else says so. */
  async function expectLost(call: Call, failure: Promise<unknown>): Promise<void> {
    const error = await failure;
    expect(error, call.name).toBeInstanceOf(ZooKeeperError);
    expect(error, call.name).toMatchObject({
      name: "ConnectionLossError",
      outcome: call.writes ? "unknown" : "not-applied",
    });
  }

  // The proxy does not count answers to authentications, so it cannot hold one.
  it.each(calls.filter(({ name }) => name !== "addAuth"))("cut after it was carried out: $name", async (call) => {
    const held = proxy.holdReplies();
    const failure = failureOf(call.run(client, path));
    await held.arrived();
    const connected = nextState(client, "connected");
    proxy.cut();
    proxy.resume();
    await expectLost(call, failure);
    expect(await connected).toMatchObject({ newSession: false });
    // Nothing of it is sent again: what the server carried out, it carried out once.
    const { stat } = await client.getData(path);
    expect(stat.version).toBe(call.name === "setData" || call.name === "multi" ? 1 : 0);
    expect((await client.getChildren(path)).children).toHaveLength(
      call.name.startsWith("create") ? 2 : call.name === "delete" ? 0 : 1,
    );
  });

  it("stalled without a word, in every call: each ends within two thirds of the timeout, and the next are answered", async () => {
    proxy.stall();
    const startedAt = performance.now();
    const failures = calls.map((call) => failureOf(call.run(client, path)));
    for (const [at, failure] of failures.entries()) await expectLost(calls[at]!, failure);
    expect(performance.now() - startedAt).toBeLessThan((sessionTimeoutMs * 2) / 3 + 500);
    proxy.resume();
    expect((await client.exists(path)).stat?.version).toBeGreaterThanOrEqual(0);
  });

  it("cut again and again under load: every call settles, and no acknowledged write is lost", async () => {
    let acknowledged = 0;
    const load = { over: false, unknown: 0 };
    const writer = async (at: number): Promise<void> => {
      const mine = `${path}/w${at}`;
      await client.create(mine, bytes("0"));
      let last = 0;
      for (let n = 1; !load.over; n++) {
        try {
          await client.setData(mine, bytes(String(n)));
          last = n;
          acknowledged++;
        } catch (error) {
          if (!(error instanceof ZooKeeperError) || error.outcome !== "unknown") throw error;
          load.unknown++;
        }
      }
      expect(Number((await observer.getData(mine)).data?.toString())).toBeGreaterThanOrEqual(last);
    };
    const writers = Promise.all(Array.from({ length: 20 }, (_, at) => writer(at)));
    // More than five where no answer happened to be on its way at any of these.
    for (let cut = 0; cut < 5 || (load.unknown === 0 && cut < 50); cut++) {
      const before = acknowledged;
      await expect.poll(() => acknowledged, { timeout: 20_000, interval: 5 }).toBeGreaterThan(before + 100);
      proxy.cut();
    }
    load.over = true;
    await writers;
    await observer.sync();
    expect(load.unknown).toBeGreaterThan(0);
  });
});
