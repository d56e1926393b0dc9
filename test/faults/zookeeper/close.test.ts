import { expect, it } from "vitest";
import type { ZookeeperStore } from "../../../src/zookeeper/index.js";
import { type Rig, withRig } from "./support.js";

const sessionTimeoutMs = 40_000;

/** Has locks, kept keys, watches and waits, and then calls in flight; gives what is to settle. */
async function keepBusy(store: ZookeeperStore, direct: ZookeeperStore): Promise<{ settled: Promise<unknown> }> {
  await direct.newLock("blocked", { ttlMs: 60_000 }).lock();
  const tree = store.watchTree("")[Symbol.asyncIterator]();
  await tree.next();
  await Promise.all([
    ...Array.from({ length: 5 }, (_, at) => store.newLock(`held/${at}`, { ttlMs: 60_000 }).lock()),
    ...Array.from({ length: 5 }, (_, at) => store.put(`kept/${at}`, "1", { ttlMs: 60_000, keepAlive: true })),
    store.put("ttl", "1", { ttlMs: 60_000 }),
  ]);
  const pending: Promise<unknown>[] = Array.from({ length: 5 }, () => store.newLock("blocked").lock());
  pending.push(tree.next());
  for (let at = 0; at < 5; at++) {
    pending.push(store.newLock(`begun/${at}`, { ttlMs: 60_000 }).lock());
    pending.push(store.put(`begun-kept/${at}`, "1", { ttlMs: 60_000, keepAlive: true }));
    pending.push(store.put(`plain/${at}`, "1"));
    pending.push(store.update(`counted/${at}`, (pair) => String(Number(pair?.text() ?? 0) + 1)));
  }
  return { settled: Promise.allSettled(pending) };
}

/** The ephemeral nodes of all sessions, but for the blocker's lock. */
async function leftOver(rig: Rig): Promise<string[]> {
  const [blocker] = await rig.contenders("blocked");
  const expected = new Set(["/blocked", `/blocked___lock/${blocker}`]);
  return [...(await rig.ephemerals()).values()].flat().filter((path) => !expected.has(path));
}

it("close() in the middle of everything ends the session on the server", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs });
    const direct = await rig.openDirect({ sessionTimeoutMs });
    const { settled } = await keepBusy(store, direct);
    expect((await leftOver(rig)).length).toBeGreaterThan(10);
    await store.close();
    await settled;
    expect(await leftOver(rig)).toEqual([]);
    expect(await rig.contenders("blocked")).toHaveLength(1);
  }));

it("close() while the connection is cut, refused for a while, or each of its replies lost, ends it too", () =>
  withRig(async (rig) => {
    for (const trouble of ["cut", "refused", "lost"] as const) {
      const store = await rig.open({ sessionTimeoutMs });
      await store.put(`kept-${trouble}`, "1", { ttlMs: 60_000, keepAlive: true });
      await store.newLock(`held-${trouble}`).lock();
      const pending = Promise.allSettled([store.put("k", "1"), store.get("k"), store.newLock("x").lock()]);
      if (trouble === "refused") rig.proxy.refuse();
      if (trouble === "lost") rig.proxy.holdReplies();
      else rig.proxy.cut();
      const closing = store.close();
      if (trouble === "refused") await rig.proxy.accept();
      if (trouble === "lost") {
        // The server has done all of it; the client learns of nothing and asks again on the next connection.
        await expect.poll(() => rig.held(`kept-${trouble}`), { timeout: 10_000 }).toBeUndefined();
        rig.proxy.cut();
        rig.proxy.resume();
      }
      await closing;
      await pending;
      expect(await leftOver(rig), trouble).toEqual([]);
    }
  }));
