import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { connectEtcd, type EtcdStore } from "../../../src/etcd/index.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { itemsUntil } from "../support/calls.js";
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

/** Writes 1, 2, 3, ... to a key, one after the other, until told to stop; gives the last that was acknowledged. */
function writeOn(store: EtcdStore, key: string) {
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

/** Writes and watches while a member fails; both go on, and nothing acknowledged is lost. */
async function goesOn(server: EtcdServer, store: EtcdStore, fail: () => Promise<unknown>): Promise<void> {
  const hold = await store.newLock("lock", { ttlMs: 20_000 }).lock();
  const watching = store.watch("n")[Symbol.asyncIterator]();
  await watching.next();
  const { state, done } = writeOn(store, "n");
  await expect.poll(() => state.acknowledged, { timeout: 10_000 }).toBeGreaterThan(20);
  await fail();
  const before = state.acknowledged;
  await expect.poll(() => state.acknowledged, { timeout: 30_000 }).toBeGreaterThan(before + 20);
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
  expect(server.members).toHaveLength(3);
}

it("the member in use is killed: the others serve", () =>
  withCluster((server, store) =>
    goesOn(server, store, () => {
      const { endpoint } = store.client.state;
      return server.members.find((member) => member.endpoint.endsWith(endpoint!))!.kill();
    }),
  ));

it("the leader is paused: another is elected and serves", () =>
  withCluster(async (server, store) => {
    const leader = await server.leader();
    await goesOn(server, store, async () => {
      leader!.pause();
      await server.waitForLeader({ not: leader });
    });
    leader!.resume();
  }));
