import { expect, it } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { connect } from "../../../src/zookeeper/client/index.js";
import { connectZookeeper, type ZookeeperStore } from "../../../src/zookeeper/index.js";
import { startZooKeeper, type ZooKeeperServer } from "../../servers/index.js";
import { itemsUntil } from "./support.js";

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

/** Writes 1, 2, 3, ... to a key, one after the other, until told to stop; gives the last that was acknowledged. */
function writeOn(store: ZookeeperStore, key: string) {
  const state = { over: false, acknowledged: 0 };
  const done = (async () => {
    for (let n = 1; !state.over; n++) {
      try {
        await store.put(key, String(n), { timeoutMs: 3_000 });
        state.acknowledged = n;
      } catch (error) {
        if (!isStoreError(error)) throw error;
      }
    }
  })();
  return { state, done };
}

/** Writes and watches while a member fails; both go on, nothing acknowledged is lost, and the lock stays. */
async function goesOn(store: ZookeeperStore, fail: () => Promise<unknown>): Promise<void> {
  const hold = await store.newLock("lock", { ttlMs: 20_000 }).lock();
  const watching = store.watch("n")[Symbol.asyncIterator]();
  await watching.next();
  const { state, done } = writeOn(store, "n");
  await expect.poll(() => state.acknowledged, { timeout: 10_000 }).toBeGreaterThan(20);
  await fail();
  const before = state.acknowledged;
  await expect.poll(() => state.acknowledged, { timeout: 60_000 }).toBeGreaterThan(before + 20);
  state.over = true;
  await done;
  const last = await store.get("n");
  expect(Number(last?.text())).toBeGreaterThanOrEqual(state.acknowledged);
  const seen = await itemsUntil(watching, (pair) => pair?.revision === last?.revision);
  const revisions = seen.map((pair) => pair!.revision);
  expect(revisions).toEqual([...revisions].sort((a, b) => (a < b ? -1 : 1)));
  expect(hold.held).toBe(true);
  await hold.unlock();
  await watching.return?.();
}

it("the member in use is killed: the others serve", () =>
  withEnsemble((server, store) =>
    goesOn(store, async () => {
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
    await goesOn(store, async () => {
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
