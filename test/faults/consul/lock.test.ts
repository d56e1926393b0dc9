import { expect } from "vitest";
import { fired, itemsUntil } from "../support/calls.js";
import { leavesNothingBegun } from "../support/giving-up.js";
import { toldBeforeAnotherHolds } from "../support/silence.js";
import { it, withRig } from "./support.js";

it("a session that is destroyed by another: the holder is told, and can take the lock again", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const lock = store.newLock("lock", { ttlMs: 2_000 });
    const hold = await lock.lock();
    const [session] = await rig.sessions();
    await rig.ask("PUT", `/v1/session/destroy/${session!.ID}`);
    await fired(hold.signal);
    expect(hold.held).toBe(false);
    const again = await lock.lock();
    expect(again.token).toBeGreaterThan(hold.token);
    await again.unlock();
    expect(await rig.sessions()).toEqual([]);
  }));

it("a lock key that is deleted or released by another: the holder is told, and no session stays", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const released = async (): Promise<unknown> => {
      const [session] = await rig.sessions();
      return rig.ask("PUT", `/v1/kv/lock?release=${session!.ID}`, "x");
    };
    for (const change of [() => rig.ask("DELETE", "/v1/kv/lock"), released]) {
      const hold = await store.newLock("lock", { ttlMs: 2_000 }).lock();
      await change();
      await fired(hold.signal);
      await expect.poll(() => rig.sessions()).toEqual([]);
      await rig.ask("DELETE", "/v1/kv/lock");
    }
  }));

it("a holder that cannot reach the agent loses the lock before another may have it", () =>
  withRig(async (rig) => {
    const silence = (): void => rig.proxy.stall();
    const { second } = await toldBeforeAnotherHolds(await rig.open(), await rig.openDirect(), silence);
    rig.proxy.cut();
    rig.proxy.resume();
    await second.unlock();
  }));

it("a waiter whose session ran out in an outage goes on waiting, and gets the lock", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const hold = await direct.newLock("lock", { ttlMs: 60_000 }).lock();
    const waiting = store.newLock("lock", { ttlMs: 1_000 }).lock();
    await expect.poll(() => rig.sessions()).toHaveLength(2);
    rig.proxy.refuse();
    rig.proxy.cut();
    // The agent ends the waiter's session, late as it does.
    await expect.poll(() => rig.sessions(), { timeout: 20_000 }).toHaveLength(1);
    await rig.proxy.accept();
    await expect.poll(() => rig.sessions(), { timeout: 20_000 }).toHaveLength(2);
    await hold.unlock();
    const own = await waiting;
    expect(own.held).toBe(true);
    await own.unlock();
    expect(await rig.sessions()).toEqual([]);
  }));

it("a contender that gives up, or whose store closes, while its session is made leaves no session", () =>
  withRig(async (rig) => leavesNothingBegun(await rig.open(), rig.proxy, () => rig.sessions())));

it("close() in the middle of everything leaves no session of a lock or a kept key", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const watch = store.watchTree("")[Symbol.asyncIterator]();
    await watch.next();
    await Promise.all([
      ...Array.from({ length: 5 }, (_, at) => store.newLock(`held/${at}`, { ttlMs: 60_000 }).lock()),
      ...Array.from({ length: 5 }, (_, at) => store.put(`kept/${at}`, "1", { ttlMs: 60_000, keepAlive: true })),
    ]);
    await store.put("ttl", "1", { ttlMs: 60_000 });
    const blocker = await direct.newLock("blocked", { ttlMs: 60_000 }).lock();
    const pending: Promise<unknown>[] = Array.from({ length: 5 }, () =>
      store.newLock("blocked", { ttlMs: 60_000 }).lock(),
    );
    // The blocker's, five held, five kept, the ttl key's and five waiters'.
    await expect.poll(() => rig.sessions()).toHaveLength(17);
    // And what has only begun: it may be anywhere between its session and its answer.
    for (let at = 0; at < 5; at++) {
      pending.push(store.newLock(`begun/${at}`, { ttlMs: 60_000 }).lock());
      pending.push(store.put(`begun-kept/${at}`, "1", { ttlMs: 60_000, keepAlive: true }));
      pending.push(store.put(`plain/${at}`, "1"));
    }
    const settled = Promise.allSettled(pending);
    await store.close();
    await settled;
    await itemsUntil(watch, () => true).catch(() => {});
    const names = (await rig.sessions()).map(({ Name }) => Name);
    // The blocker's lock, and the key whose ttl outlives its writer.
    expect(names.filter((name) => name.startsWith("kvasir lock"))).toHaveLength(1);
    expect(names.filter((name) => name === "kvasir ttl")).toHaveLength(1);
    expect(await rig.value("ttl")).toBe("1");
    await blocker.unlock();
  }));
