import { expect, it } from "vitest";
import { connect } from "../../../src/zookeeper/client/index.js";
import { connectZookeeper, type ZookeeperStore } from "../../../src/zookeeper/index.js";
import { startZooKeeper, type ZooKeeperServer } from "../../servers/index.js";
import { goesOn } from "../support/goes-on.js";

async function withEnsemble(body: (server: ZooKeeperServer, store: ZookeeperStore) => Promise<void>): Promise<void> {
  const server = await startZooKeeper({ own: true, cluster: 3 });
  const store = await connectZookeeper({ endpoints: server.hosts.split(","), sessionTimeoutMs: 20_000 });
  try {
    await body(server, store);
  } finally {
    await store.close();
    await server.close();
  }
}

/** As any store, in the time that an election of this ensemble may take. */
function servesOn(store: ZookeeperStore, fail: () => Promise<unknown>): Promise<void> {
  return goesOn(store, fail, { lockTtlMs: 20_000, withinMs: 60_000 });
}

it("the member in use is killed: the others serve", () =>
  withEnsemble((server, store) =>
    servesOn(store, async () => {
      const { state } = store.client;
      const host = state.name === "connected" ? state.server : "";
      const member = server.members.find((each) => each.host === host)!;
      await member.kill();
      await server.waitForLeader({ not: member });
    }),
  ));

it("the leader is paused: another is elected and serves", () =>
  withEnsemble(async (server, store) => {
    const leader = (await server.leader())!;
    await servesOn(store, async () => {
      leader.pause();
      await server.waitForLeader({ not: leader });
    });
    leader.resume();
  }));

it("a deposed leader that wakes up answers no linearizable read from its past", () =>
  withEnsemble(async (server, store) => {
    await store.put("k", "old");
    await store.put("d/k", "old");
    const leader = (await server.leader())!;
    const rest = server.members.filter((member) => member !== leader);
    // Sessions so long that these stay with the paused leader and send it what it answers on waking.
    const alone = { endpoints: [leader.host], sessionTimeoutMs: 40_000 };
    const reader = await connectZookeeper(alone);
    const writer = await connectZookeeper({ endpoints: rest.map(({ host }) => host) });
    const naive = await connect({ servers: leader.host, sessionTimeoutMs: 40_000, timeoutMs: 60_000 });
    const staleReader = await connectZookeeper(alone);
    try {
      await Promise.all([reader.get("k"), staleReader.get("k"), naive.getData("/k")]);
      leader.pause();
      await server.waitForLeader({ not: leader });
      const options = { timeoutMs: 60_000 };
      const swapped = await writer.put("k", "new", options);
      await writer.put("d/k", "new", options);
      await writer.put("d/more", "new", options);
      // Asked while it sleeps: it finds them in its sockets.
      const read = Array.from({ length: 20 }, () => reader.get("k", options));
      const others = Promise.all([
        reader.exists("d/more", options),
        reader.list("d", options),
        reader.keys("d", options),
        reader.update("d/k", (pair) => `${pair!.text()}er`, options),
      ]);
      const stale = staleReader.get("k", { ...options, consistency: "stale" });
      const synced = naive.sync("/").then(() => naive.getData("/k"));
      const naively = naive.getData("/k");
      // They must be on their way before it wakes.
      await new Promise((resolve) => setTimeout(resolve, 200));
      leader.resume();
      // What a plain read shows: this is the moment that the store has to see through.
      expect((await naively).data?.toString()).toBe("old");
      expect((await stale)?.text()).toBe("old");
      await synced.catch(() => {});
      for (const pair of await Promise.all(read)) {
        expect(pair?.text()).toBe("new");
        expect(pair?.revision).toBe(swapped.revision);
      }
      const [exists, list, keys, updated] = await others;
      expect(exists).toBe(true);
      expect(list.map((pair) => pair.key)).toEqual(["d/k", "d/more"]);
      expect(keys).toEqual(["d/k", "d/more"]);
      expect(updated?.text()).toBe("newer");
    } finally {
      leader.resume();
      await Promise.all([reader.close(), writer.close(), naive.close(), staleReader.close()]);
    }
  }));
