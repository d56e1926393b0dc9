import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { connectEtcd2, type Etcd2Store } from "../../../src/etcd2/index.js";
import { type EtcdServer, startEtcd } from "../../servers/index.js";
import { itemsUntil } from "../support/calls.js";
import { it, version } from "./support.js";

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

/** Writes 1, 2, 3, ... to a key, one after the other, until told to stop; gives the last that was acknowledged. */
function writeOn(store: Etcd2Store, key: string) {
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
async function goesOn(store: Etcd2Store, fail: () => Promise<unknown>): Promise<void> {
  const hold = await store.newLock("lock", { ttlMs: 30_000 }).lock();
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
}

it("the member in use is killed: the others serve", () =>
  withCluster((server, store) => goesOn(store, () => server.member.kill())));

it("the leader is killed: the others serve", () =>
  withCluster((server, store) => goesOn(store, async () => (await server.leader())!.kill())));

it("the member in use is paused: calls and watches move on to another", () =>
  withCluster(async (server, store) => {
    await goesOn(store, async () => server.member.pause());
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
