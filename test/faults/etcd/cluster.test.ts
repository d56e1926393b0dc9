import { expect } from "vitest";
import { connectEtcd, type EtcdStore } from "../../../src/etcd/index.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { goesOn } from "../support/goes-on.js";
import { it, version } from "./support.js";

async function withCluster(body: (server: EtcdServer, store: EtcdStore) => Promise<void>): Promise<void> {
  const server = await startEtcd({ own: true, version, cluster: 3 });
  const store = await connectEtcd({
    endpoints: server.hosts,
    watch: { progressIntervalMs: 1_000, progressTimeoutMs: 1_000 },
  });
  try {
    await body(server, store);
  } finally {
    await store.close();
    await server.close();
  }
}

async function servesOn(server: EtcdServer, store: EtcdStore, fail: () => Promise<unknown>): Promise<void> {
  await goesOn(store, fail, { lockTtlMs: 20_000 });
  expect(server.members).toHaveLength(3);
}

it("the member in use is killed: the others serve", () =>
  withCluster((server, store) =>
    servesOn(server, store, () => {
      const { endpoint } = store.client.state;
      return server.members.find((member) => member.endpoint.endsWith(endpoint!))!.kill();
    }),
  ));

it("the leader is paused: another is elected and serves", () =>
  withCluster(async (server, store) => {
    const leader = await server.leader();
    await servesOn(server, store, async () => {
      leader!.pause();
      await server.waitForLeader({ not: leader });
    });
    leader!.resume();
  }));
