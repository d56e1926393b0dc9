import { expect } from "vitest";
import { connectEtcd2, type Etcd2Store } from "../../../src/etcd2/index.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { goesOn } from "../support/goes-on.js";
import { it, version } from "./support.js";

const cluster = { lockTtlMs: 30_000 };

async function withCluster(body: (server: EtcdServer, store: Etcd2Store) => Promise<void>): Promise<void> {
  const server = await startEtcd({ own: true, version, v2: true, cluster: 3 });
  const store = await connectEtcd2({ endpoints: server.hosts, watchCheckMs: 2_000 });
  try {
    await body(server, store);
  } finally {
    await store.close();
    await server.close();
  }
}

it("the member in use is killed: the others serve", () =>
  withCluster((server, store) => goesOn(store, () => server.member.kill(), cluster)));

it("the leader is killed: the others serve", () =>
  withCluster((server, store) => goesOn(store, async () => (await server.leader())!.kill(), cluster)));

it("the member in use is paused: calls and watches move on to another", () =>
  withCluster(async (server, store) => {
    await goesOn(store, async () => server.member.pause(), cluster);
    server.member.resume();
  }));

it("a cluster without a leader is told from one with nothing to say, and its watch goes on", () =>
  withCluster(async (server, store) => {
    const elsewhere = await connectEtcd2({ endpoints: server.members[0]!.endpoint });
    const watching = store.watch("k")[Symbol.asyncIterator]();
    await watching.next();
    // Alone it has no leader, but it keeps its watches and would never say a word.
    server.members[1]!.pause();
    server.members[2]!.pause();
    await expect.poll(() => store.state, { timeout: 30_000 }).toBe("suspended");
    server.members[1]!.resume();
    server.members[2]!.resume();
    await expect.poll(() => store.state, { timeout: 30_000 }).toBe("connected");
    await elsewhere.put("k", "1", { timeoutMs: 20_000 });
    expect((await watching.next()).value?.text()).toBe("1");
    await watching.return?.();
    await elsewhere.close();
  }));
