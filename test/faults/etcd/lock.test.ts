import { expect } from "vitest";
import type { LockHold } from "../../../src/core/store.js";
import { leavesNothingBegun } from "../support/giving-up.js";
import { bytes, it, withRig } from "./support.js";

it("a lock whose create was applied and its reply lost is taken once, by who asked", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const other = await rig.openDirect();
    const granting = rig.proxy.holdReplies();
    const taking = store.newLock("lock", { value: "me" }).lock({ timeoutMs: 20_000 });
    await granting.arrived();
    rig.proxy.resume();
    const creating = rig.proxy.holdReplies();
    await expect.poll(() => rig.names("lock___lock/").then((names) => names.length)).toBe(1);
    await creating.arrived();
    rig.proxy.cut();
    rig.proxy.resume();
    const hold = await taking;
    expect(await rig.names("lock___lock/")).toHaveLength(1);
    expect((await other.get("lock"))?.text()).toBe("me");
    expect(await other.newLock("lock").tryLock()).toBeUndefined();
    await hold.unlock();
    expect(await rig.names("lock")).toEqual([]);
  }));

it("a connection cut while a lock is held: the holder goes on holding, for longer than its ttl", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const other = await rig.openDirect();
    const ttlMs = 2_000;
    const hold = await store.newLock("lock", { ttlMs, value: "me" }).lock();
    let lost = false;
    hold.signal.addEventListener("abort", () => {
      lost = true;
    });
    const heldAt = performance.now();
    for (let cut = 0; cut < 3; cut++) {
      rig.proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, ttlMs / 2));
    }
    expect(performance.now() - heldAt).toBeGreaterThan(ttlMs);
    expect([hold.held, lost]).toEqual([true, false]);
    expect((await other.get("lock"))?.text()).toBe("me");
    expect(await other.newLock("lock").tryLock()).toBeUndefined();
    await hold.unlock();
    expect(await rig.names("lock")).toEqual([]);
  }));

it("a hundred contenders of ten stores hold in the order they came, one at a time", () =>
  withRig(async (rig) => {
    const stores = await Promise.all(Array.from({ length: 10 }, () => rig.openDirect()));
    const blocker = await stores[0]!.newLock("lock").lock();
    const order: number[] = [];
    const tokens: bigint[] = [];
    let holding = 0;
    const contend = async (at: number): Promise<void> => {
      const hold: LockHold = await stores[at % 10]!.newLock("lock").lock();
      expect(++holding).toBe(1);
      order.push(at);
      tokens.push(hold.token);
      holding--;
      await hold.unlock();
    };
    const all: Promise<void>[] = [];
    for (let at = 0; at < 100; at++) {
      all.push(contend(at));
      await expect.poll(() => rig.names("lock___lock/").then((names) => names.length), { interval: 5 }).toBe(at + 2);
    }
    await blocker.unlock();
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
    expect(await rig.names("lock")).toEqual([]);
  }));

it("a lock whose lease an operator revokes is lost, and the next in line gets it", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const hold = await store.newLock("lock", { ttlMs: 3_000 }).lock();
    const lost = new Promise((resolve) => hold.signal.addEventListener("abort", resolve));
    const [name] = await rig.names("lock___lock/");
    await rig.direct.leases.revoke(BigInt(`0x${name!.split("/")[1]}`));
    await lost;
    expect(hold.held).toBe(false);
    const next = await (await rig.openDirect()).newLock("lock").tryLock();
    expect(next!.token > hold.token).toBe(true);
  }));

it("a holder whose key an operator deletes is told at once, though its lease lives", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect();
    const hold = await store.newLock("lock", { ttlMs: 60_000 }).lock();
    const [name] = await rig.names("lock___lock/");
    // Compacted, so that the watch of the key cannot simply be resumed where it began.
    const { revision } = await store.put("other", "1");
    await rig.direct.kv.compact(revision, { physical: true });
    const lost = new Promise((resolve) => hold.signal.addEventListener("abort", resolve));
    await rig.direct.kv.deleteRange({ key: bytes(name!) });
    await lost;
    expect(hold.held).toBe(false);
  }));

it("a hold longer than the history lasts outlives a lost connection", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const hold = await store.newLock("lock", { ttlMs: 60_000 }).lock();
    const { revision } = await store.put("other", "1");
    await rig.direct.kv.compact(revision, { physical: true });
    rig.proxy.cut();
    await store.ping();
    await store.put("other", "2");
    expect(hold.held).toBe(true);
    const lost = new Promise((resolve) => hold.signal.addEventListener("abort", resolve));
    const [name] = await rig.names("lock___lock/");
    await rig.direct.kv.deleteRange({ key: bytes(name!) });
    await lost;
  }));

it("deleteTree leaves the places of contenders, and counts only keys", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const hold = await store.newLock("d/lock").lock();
    for (const key of ["d/a", "d/lock/below", "d/z"]) await store.put(key, "1");
    expect(await store.deleteTree("d")).toBe(4);
    expect(await rig.names("d")).toHaveLength(1);
    expect(await (await rig.openDirect()).newLock("d/lock").tryLock()).toBeUndefined();
    expect(hold.held).toBe(true);
    await hold.unlock();
    expect(await rig.names("d")).toEqual([]);
  }));

it("a contender that gives up, or whose store closes, while its lease is granted leaves no lease", () =>
  withRig(async (rig) => leavesNothingBegun(await rig.open(), rig.proxy, () => rig.leases())));
