import { expect } from "vitest";
import { fired } from "../support/calls.js";
import { leavesNothingBegun } from "../support/giving-up.js";
import type { StateChange } from "../../../src/core/store.js";
import { it, withRig } from "./support.js";

it("a connection cut while a lock is held: the holder goes on holding, and renews", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const hold = await store.newLock("lock", { ttlMs: 3_000, value: "me" }).lock();
    const first = (await rig.held("lock"))!;
    rig.proxy.cut();
    await expect
      .poll(async () => (await rig.held("lock"))?.modifiedIndex, { timeout: 5_000 })
      .toBeGreaterThan(first.modifiedIndex);
    expect((await rig.held("lock"))?.createdIndex).toBe(first.createdIndex);
    expect(hold.held).toBe(true);
    expect(await direct.newLock("lock").tryLock()).toBeUndefined();
    await hold.unlock();
    expect(await rig.held("lock")).toBeUndefined();
  }));

it("a lock that another deletes, overwrites or takes is lost, the holder is told, and what is there is left alone", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const deleted = await store.newLock("lock", { ttlMs: 2_000 }).lock();
    await rig.ask("DELETE", "/lock");
    await fired(deleted.signal);
    expect(deleted.held).toBe(false);
    const overwritten = await store.newLock("lock", { ttlMs: 2_000 }).lock();
    expect(overwritten.token).toBeGreaterThan(deleted.token);
    await rig.ask("PUT", "/lock", "plain");
    await fired(overwritten.signal);
    expect(await rig.value("lock")).toBe("plain");
    await rig.ask("DELETE", "/lock");
    const taken = await store.newLock("lock", { ttlMs: 2_000 }).lock();
    await rig.ask("DELETE", "/lock");
    const other = (await (await rig.openDirect()).newLock("lock", { ttlMs: 60_000, value: "other" }).tryLock())!;
    await fired(taken.signal);
    expect(await rig.value("lock")).toBe("other");
    expect(other.held).toBe(true);
    await other.unlock();
  }));

it("renewals of locks and keepAlive keys wake no watch", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const tree = store.watchTree("")[Symbol.asyncIterator]();
    await tree.next();
    const hold = await store.newLock("lock", { ttlMs: 1_000 }).lock();
    await store.put("kept", "1", { ttlMs: 1_000, keepAlive: true });
    const seen: string[] = [];
    const follow = (async () => {
      for (let item = await tree.next(); item.done !== true; item = await tree.next()) {
        for (const { type, key } of item.value.changes) seen.push(`${type} ${key}`);
        if (seen.includes("put end")) return;
      }
    })();
    const renewed = async (key: string) => {
      const node = await rig.held(key);
      return node!.modifiedIndex - node!.createdIndex;
    };
    await expect.poll(() => renewed("kept"), { timeout: 10_000 }).toBeGreaterThan(4);
    await store.put("end", "1");
    await follow;
    expect(seen).toEqual(["put lock", "put kept", "put end"]);
    await hold.unlock();
  }));

it("contenders of several stores hold one at a time, also where a directory was left behind", () =>
  withRig(async (rig) => {
    const stores = await Promise.all(Array.from({ length: 5 }, () => rig.openDirect()));
    // All of them have to clear the directory away, and none may take another's lock along.
    for (let round = 0; round < 10; round++) {
      await rig.ask("PUT", "/lock/was/a/directory", "1");
      await rig.ask("DELETE", "/lock/was/a/directory");
      let holding = 0;
      const tokens: bigint[] = [];
      const contend = async (at: number): Promise<void> => {
        const hold = await stores[at % 5]!.newLock("lock", { ttlMs: 10_000 }).lock();
        expect(++holding).toBe(1);
        tokens.push(hold.token);
        // Long enough for another's late delete to hit.
        await stores[at % 5]!.ping();
        expect(await rig.value("lock")).toBe("");
        expect(hold.held).toBe(true);
        holding--;
        await hold.unlock();
      };
      await Promise.all(Array.from({ length: 10 }, (_, at) => contend(at)));
      expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
      expect(await rig.held("lock")).toBeUndefined();
    }
    // Nor is anything left of the right to clear it.
    const { text } = await rig.ask("GET", "/_kvasir-clear-bG9jaw");
    expect(JSON.parse(text)).toMatchObject({ errorCode: 100 });
  }));

it("a contender that is held up while it clears a directory away deletes nobody's lock", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    // It is held up at each of its requests in turn, and the other one comes in between.
    for (let step = 1; step <= 5; step++) {
      const key = `lock-${step}`;
      await rig.ask("PUT", `/${key}/was/a/directory`, "1");
      await rig.ask("DELETE", `/${key}/was/a/directory`);
      let held = rig.proxy.holdReplies();
      const slow = store.newLock(key, { ttlMs: 10_000 }).lock();
      for (let passed = 1; passed < step; passed++) {
        await held.arrived();
        rig.proxy.resume();
        held = rig.proxy.holdReplies();
      }
      await held.arrived();
      const quick = direct.newLock(key, { ttlMs: 10_000 }).lock();
      // It gets the lock, or has to wait for the other's right to clear.
      await Promise.race([quick, new Promise((resolve) => setTimeout(resolve, 500))]);
      rig.proxy.resume();
      const first = await Promise.race([slow, quick]);
      // The other has found it held, and waits.
      await expect.poll(() => rig.watchers(), { timeout: 5_000 }).toBe(1);
      expect(BigInt((await rig.held(key))!.createdIndex), `step ${step}`).toBe(first.token);
      await first.unlock();
      const holds = await Promise.all([slow, quick]);
      const second = holds.find((hold) => hold !== first)!;
      expect(second.token).toBeGreaterThan(first.token);
      await second.unlock();
    }
  }));

it("a keepAlive key that outlived an outage longer than its ttl is there again, unless another took the key", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const other = await rig.openDirect();
    const changes: StateChange[] = [];
    store.onStateChange((change) => changes.push(change));
    await store.put("mine", "1", { ttlMs: 2_000, keepAlive: true });
    await store.put("taken", "1", { ttlMs: 2_000, keepAlive: true });
    rig.proxy.refuse();
    rig.proxy.cut();
    await expect.poll(async () => (await other.keys("")).length, { timeout: 10_000 }).toBe(0);
    await other.put("taken", "by another");
    await rig.proxy.accept();
    await expect.poll(async () => (await other.get("mine"))?.text(), { timeout: 10_000 }).toBe("1");
    expect((await other.get("taken"))?.text()).toBe("by another");
    expect(changes.flatMap(({ lostKeys }) => lostKeys).sort()).toEqual(["mine", "taken"]);
    expect(changes.flatMap(({ restoredKeys }) => restoredKeys)).toEqual(["mine"]);
  }));

it("a keepAlive key that the server let expire too early is put again, one that another deleted is not", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const changes: StateChange[] = [];
    store.onStateChange((change) => changes.push(change));
    const [expired, deleted] = await Promise.all(
      ["expired", "deleted"].map((key) => store.put(key, "1", { ttlMs: 6_000, keepAlive: true })),
    );
    // As when the clock of a member is set forward: the server ends it long before the writer's own clock does.
    const shortened = await rig.ask("PUT", `/expired?ttl=1&refresh=true&prevIndex=${expired!.revision}`);
    expect(shortened.status).toBe(200);
    await rig.ask("DELETE", "/deleted");
    await expect
      .poll(() => changes.flatMap(({ restoredKeys }) => restoredKeys), { timeout: 10_000 })
      .toEqual(["expired"]);
    expect(await rig.value("expired")).toBe("1");
    expect(await rig.held("deleted")).toBeUndefined();
    expect(changes.flatMap(({ lostKeys }) => lostKeys)).toEqual(["expired"]);
    expect(deleted!.revision).toBeGreaterThan(0n);
  }));

it("a contender that gives up, or whose store closes, while its key is created leaves no key", () =>
  withRig(async (rig) => {
    const made = async () => [await rig.held("lock")].filter((node) => node !== undefined);
    await leavesNothingBegun(await rig.open(), rig.proxy, made);
  }));
