import { expect, it } from "vitest";
import { fired } from "../support/calls.js";
import type { LockHold, StateChange } from "../../../src/core/store.js";
import { withRig } from "./support.js";

it("a lock whose contender was created and the reply lost is taken once, by who asked, and nobody is blocked", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 20_000 });
    const other = await rig.openDirect();
    // At each reply of the acquisition in turn, whatever its requests are.
    for (let at = 0; at < 8; at++) {
      const key = `lock/${at}`;
      let held = rig.proxy.holdReplies();
      const taking = store.newLock(key, { value: "me" }).lock({ timeoutMs: 20_000 });
      for (let passed = 0; passed < at; passed++) {
        await Promise.race([held.arrived(), taking]);
        rig.proxy.resume();
        held = rig.proxy.holdReplies();
      }
      await Promise.race([held.arrived(), taking]);
      rig.proxy.cut();
      rig.proxy.resume();
      const hold = await taking;
      expect(await rig.contenders(key), `reply ${at}`).toHaveLength(1);
      expect((await other.get(key))?.text()).toBe("me");
      expect(await other.newLock(key).tryLock()).toBeUndefined();
      await hold.unlock({ timeoutMs: 20_000 });
      const next = await other.newLock(key).tryLock();
      expect(next?.held, `after reply ${at}`).toBe(true);
      await next!.unlock();
      expect(await rig.contenders(key)).toEqual([]);
    }
  }));

it("a contender that gives up in an outage, whatever reply that took, leaves neither a place nor a value", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 40_000 });
    // At each reply of the acquisition in turn, whatever its requests are; the last ones find the lock taken.
    for (let at = 0; at < 14; at++) {
      const key = `lock/${at}`;
      const gaveUp = new AbortController();
      let held = rig.proxy.holdReplies();
      const taking = store.newLock(key, { value: "me" }).lock({ signal: gaveUp.signal });
      const ended = taking.catch(() => undefined);
      const reply = (): Promise<unknown> => Promise.race([held.arrived().catch(() => {}), ended]);
      for (let passed = 0; passed < at; passed++) {
        await reply();
        rig.proxy.resume();
        held = rig.proxy.holdReplies();
      }
      await reply();
      rig.proxy.refuse();
      rig.proxy.cut();
      gaveUp.abort(new Error("enough"));
      rig.proxy.resume();
      await rig.proxy.accept();
      await (await ended)?.unlock({ timeoutMs: 20_000 });
      await expect.poll(() => rig.contenders(key), { timeout: 20_000 }).toEqual([]);
      await expect.poll(() => rig.held(key), { timeout: 10_000, message: `reply ${at}` }).toBeUndefined();
    }
  }));

it("a waiter that gives up when the write of its value has lost its reply leaves no value", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 40_000 });
    const blocker = await (await rig.openDirect()).newLock("lock").lock();
    const gaveUp = new AbortController();
    const waiting = store.newLock("lock", { value: "me" }).lock({ signal: gaveUp.signal });
    const refused = expect(waiting).rejects.toThrow("enough");
    await expect.poll(() => rig.contenders("lock")).toHaveLength(2);
    rig.proxy.holdReplies();
    await blocker.unlock();
    const isWritten = (): Promise<boolean> =>
      expect
        .poll(() => rig.held("lock"), { timeout: 300, interval: 10 })
        .toBe("me")
        .then(
          () => true,
          () => false,
        );
    // What has come goes through, and nothing after it, until the value is there and its reply is not.
    while (!(await isWritten())) {
      rig.proxy.resume();
      rig.proxy.holdReplies();
    }
    rig.proxy.refuse();
    rig.proxy.cut();
    gaveUp.abort(new Error("enough"));
    rig.proxy.resume();
    await refused;
    await rig.proxy.accept();
    await expect.poll(() => rig.held("lock"), { timeout: 20_000 }).toBeUndefined();
    await expect.poll(() => rig.contenders("lock")).toEqual([]);
  }));

it("an unlock whose reply is lost leaves nothing that blocks the next", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 40_000 });
    const other = await rig.openDirect();
    for (let at = 0; at < 3; at++) {
      const hold = await store.newLock("lock").lock();
      let held = rig.proxy.holdReplies();
      const giving = hold.unlock().then(
        () => "given back",
        (error: { outcome?: string }) => error.outcome,
      );
      for (let passed = 0; passed < at; passed++) {
        await Promise.race([held.arrived(), giving]);
        rig.proxy.resume();
        held = rig.proxy.holdReplies();
      }
      await Promise.race([held.arrived(), giving]);
      rig.proxy.cut();
      rig.proxy.resume();
      expect(["given back", "unknown"]).toContain(await giving);
      const next = await other.newLock("lock").lock({ timeoutMs: 10_000 });
      await next.unlock();
    }
    expect(await rig.contenders("lock")).toEqual([]);
    expect(await rig.held("lock")).toBeUndefined();
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
      await expect.poll(() => rig.contenders("lock").then((names) => names.length), { interval: 5 }).toBe(at + 2);
    }
    await blocker.unlock();
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 100 }, (_, at) => at));
    expect(tokens).toEqual([...tokens].sort((a, b) => (a < b ? -1 : 1)));
    expect(await rig.contenders("lock")).toEqual([]);
    expect(await rig.held("lock")).toBeUndefined();
  }));

it("a session that another ends on the server: the holder is told, keys with a ttl come back, and a re-lock works", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect();
    const changes: StateChange[] = [];
    store.onStateChange((change) => changes.push(change));
    await store.put("service", "here", { ttlMs: 30_000, keepAlive: true });
    const lock = store.newLock("lock", { value: "first" });
    const hold = await lock.lock();
    await rig.killSession(store);
    await fired(hold.signal);
    expect(hold.held).toBe(false);
    const again = await lock.lock();
    expect(again.held).toBe(true);
    expect(again.token).toBeGreaterThan(hold.token);
    await expect
      .poll(() => changes.flatMap(({ restoredKeys }) => restoredKeys), { timeout: 10_000 })
      .toEqual(["service"]);
    expect(changes.flatMap(({ lostKeys }) => lostKeys)).toEqual(["service"]);
    expect(await rig.held("service")).toBe("here");
    await again.unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("a kept key that another has taken after the session ended stays with the other", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 1_500 });
    const other = await rig.openDirect();
    await store.put("mine", "1", { ttlMs: 1_500, keepAlive: true });
    await store.put("taken", "1", { ttlMs: 1_500, keepAlive: true });
    rig.proxy.refuse();
    rig.proxy.cut();
    await expect.poll(() => rig.ephemerals().then((all) => all.size), { timeout: 20_000 }).toBe(0);
    await other.put("taken", "by another");
    await rig.proxy.accept();
    await expect.poll(() => rig.held("mine"), { timeout: 20_000 }).toBe("1");
    expect(await rig.held("taken")).toBe("by another");
  }));

it("a new session meets the ephemeral nodes of the old one, and neither holds with it nor waits for it too long", () =>
  withRig(async (rig) => {
    // The server forgets the session only long after the client has: it was heard of when the client got no answer.
    const store = await rig.open({ sessionTimeoutMs: 4_000 });
    const lock = store.newLock("lock", { value: "first", ttlMs: 4_000 });
    const hold = await lock.lock();
    await store.put("kept", "1", { ttlMs: 4_000, keepAlive: true });
    // Pings still reach the server and keep the session alive there; their answers do not come back.
    rig.proxy.stall("toClient");
    await fired(hold.signal);
    expect(hold.held).toBe(false);
    expect(await rig.contenders("lock")).toHaveLength(1);
    rig.proxy.cut();
    rig.proxy.resume();
    const again = await lock.lock({ timeoutMs: 30_000 });
    expect(again.held).toBe(true);
    expect(again.token).toBeGreaterThan(hold.token);
    expect(await rig.contenders("lock")).toHaveLength(1);
    const [owner] = [...(await rig.ephemerals())].filter(([, paths]) => paths.includes("/lock"));
    expect(BigInt(owner![0])).toBe(store.client.sessionCredentials?.id);
    await expect.poll(() => rig.held("kept"), { timeout: 20_000 }).toBe("1");
    await again.unlock();
  }));

it("a contender that an operator deletes: the holder is told at once, though its session lives", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect();
    const hold = await store.newLock("lock", { ttlMs: 60_000 }).lock();
    const [name] = await rig.contenders("lock");
    const lost = fired(hold.signal);
    await rig.direct.delete(`/lock___lock/${name!}`);
    await lost;
    expect(hold.held).toBe(false);
    const next = await (await rig.openDirect()).newLock("lock").lock({ timeoutMs: 20_000 });
    expect(next.token).toBeGreaterThan(hold.token);
    await next.unlock();
  }));

it("a contender that an operator deletes before the value is written: another is made, and no lock held without one", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 20_000 });
    await rig.direct.create("/lock___lock");
    rig.proxy.holdReplies();
    const taking = store.newLock("lock", { value: "me" }).lock({ timeoutMs: 20_000 });
    await expect.poll(() => rig.contenders("lock").then((names) => names.length)).toBe(1);
    const [deleted] = await rig.contenders("lock");
    expect(await rig.held("lock")).toBeUndefined();
    await rig.direct.delete(`/lock___lock/${deleted!}`);
    rig.proxy.resume();
    const hold = await taking;
    expect(await rig.contenders("lock")).toHaveLength(1);
    expect([hold.held, await rig.held("lock")]).toEqual([true, "me"]);
    await hold.unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("waits that are given up, and contenders whose process dies, leave the queue in order", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 1_500 });
    const direct = await rig.openDirect();
    const blocker = await direct.newLock("lock").lock();
    const controller = new AbortController();
    const given = store.newLock("lock", { ttlMs: 1_500 }).lock({ signal: controller.signal });
    const gone = store.newLock("lock", { ttlMs: 1_500 }).lock({ timeoutMs: 60_000 });
    gone.catch(() => {});
    await expect.poll(() => rig.contenders("lock")).toHaveLength(3);
    const last = direct.newLock("lock").lock();
    await expect.poll(() => rig.contenders("lock")).toHaveLength(4);
    controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    await expect.poll(() => rig.contenders("lock")).toHaveLength(3);
    // As if the process were gone: nothing reaches the server any more, and the session runs out.
    rig.proxy.stall();
    await blocker.unlock();
    const hold = await last;
    expect(hold.held).toBe(true);
    await hold.unlock();
    rig.proxy.cut();
    rig.proxy.resume();
    await (await gone).unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("in the layout of libkv: lost replies, sessions that end and a queue of twenty leave nobody blocked", () =>
  withRig(async (rig) => {
    const layout = { lockLayout: "libkv", sessionTimeoutMs: 4_000 } as const;
    const store = await rig.open(layout);
    const other = await rig.openDirect(layout);
    const queue = async (): Promise<string[]> => (await rig.children("lock")).filter((name) => name.includes("-lock-"));
    const options = { ttlMs: 4_000, value: "me" };
    for (let at = 0; at < 6; at++) {
      let held = rig.proxy.holdReplies();
      const taking = store.newLock("lock", options).lock({ timeoutMs: 20_000 });
      for (let passed = 0; passed < at; passed++) {
        await Promise.race([held.arrived(), taking]);
        rig.proxy.resume();
        held = rig.proxy.holdReplies();
      }
      await Promise.race([held.arrived(), taking]);
      rig.proxy.cut();
      rig.proxy.resume();
      const hold = await taking;
      expect(await queue(), `reply ${at}`).toHaveLength(1);
      expect((await other.get("lock"))?.text()).toBe("me");
      await hold.unlock({ timeoutMs: 20_000 });
      expect(await other.get("lock")).toBeUndefined();
    }
    const lost = await store.newLock("lock", options).lock();
    await rig.killSession(store);
    await fired(lost.signal);
    const order: number[] = [];
    const blocker = await other.newLock("lock", options).lock();
    expect(blocker.token).toBeGreaterThan(lost.token);
    const all: Promise<void>[] = [];
    for (let at = 0; at < 20; at++) {
      const wait = other.newLock("lock", options).lock();
      all.push(
        wait.then(async (hold) => {
          order.push(at);
          await hold.unlock();
        }),
      );
      await expect.poll(() => queue().then((names) => names.length), { interval: 5 }).toBe(at + 2);
    }
    await blocker.unlock();
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 20 }, (_, at) => at));
    expect(await queue()).toEqual([]);
  }));
