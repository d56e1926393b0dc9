import { expect } from "vitest";
import { maxValueBytes } from "../../../src/etcd2/capabilities.js";
import { failureOf, losingReply } from "../support/calls.js";
import { it, withRig } from "./support.js";

const unknown = { code: "UNREACHABLE", outcome: "unknown" };

it("writes whose reply is lost are unknown, applied, and never sent twice", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const pair = await store.put("swap", "1");
    const doomed = await store.put("doomed", "1");
    await store.put("gone", "1");
    const calls: [string, () => Promise<unknown>][] = [
      ["put", () => store.put("put", "1")],
      ["swap", () => store.atomicPut("swap", "2", pair)],
      ["new", () => store.atomicPut("new", "1", null)],
      ["gone", () => store.delete("gone")],
      ["doomed", () => store.atomicDelete("doomed", doomed)],
      ["commit", () => store.atomic().check("commit", null).put("commit", "1").commit()],
      ["ttl", () => store.put("ttl", "1", { ttlMs: 60_000 })],
    ];
    for (const [name, call] of calls) {
      const { error, requests } = await losingReply(rig.proxy, call);
      expect(error, name).toMatchObject({ ...unknown, key: name === "commit" ? undefined : name });
      expect(requests, name).toBe(1);
      await store.ping();
    }
    expect(await rig.value("put")).toBe("1");
    expect(await rig.value("swap")).toBe("2");
    expect(await rig.value("new")).toBe("1");
    expect(await rig.value("commit")).toBe("1");
    expect((await rig.held("ttl"))?.expiration).toBeDefined();
    expect([await rig.held("gone"), await rig.held("doomed")]).toEqual([undefined, undefined]);
    // Not only did the client count so: the server's own history has each write once.
    expect(await rig.history("put", Number(pair.revision))).toEqual(["set"]);
    expect(await rig.history("swap", Number(pair.revision) + 1)).toEqual(["compareAndSwap"]);
    expect(await rig.history("new", Number(pair.revision))).toEqual(["create"]);
  }));

it("a deleteTree whose reply is lost is unknown, and the tree is gone", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await store.put("tree/1", "1");
    const listing = rig.proxy.holdReplies();
    const failure = failureOf(store.deleteTree("tree"));
    await listing.arrived();
    // The reply of the list that comes before is let through, the next is not.
    const before = rig.proxy.count.requests;
    rig.proxy.resume();
    const deleting = rig.proxy.holdReplies();
    await deleting.arrived();
    expect(rig.proxy.count.requests - before).toBe(1);
    rig.proxy.cut();
    rig.proxy.resume();
    expect(await failure).toMatchObject(unknown);
    expect(await rig.held("tree")).toBeUndefined();
  }));

it("an update whose write's reply is lost is not run again", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await store.put("n", "1");
    const reading = rig.proxy.holdReplies();
    let runs = 0;
    const failure = failureOf(
      store.update("n", (pair) => {
        runs++;
        return String(Number(pair!.text()) + 1);
      }),
    );
    await reading.arrived();
    rig.proxy.resume();
    const writing = rig.proxy.holdReplies();
    await writing.arrived();
    rig.proxy.cut();
    rig.proxy.resume();
    expect(await failure).toMatchObject(unknown);
    expect(runs).toBe(1);
    expect(await rig.value("n")).toBe("2");
  }));

it("a renewal whose reply is lost: the key lives on, and later renewals go on from what the server has", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const pair = await store.put("kept", "1", { ttlMs: 3_000, keepAlive: true });
    const lost: string[] = [];
    store.onStateChange(({ lostKeys }) => lost.push(...lostKeys));
    const renewing = rig.proxy.holdReplies();
    await renewing.arrived();
    const renewed = await rig.held("kept");
    expect(renewed!.modifiedIndex).toBeGreaterThan(Number(pair.revision));
    rig.proxy.cut();
    rig.proxy.resume();
    // Twice more, each longer than a third of the ttl after the last.
    for (let last = renewed!.modifiedIndex, more = 0; more < 2; more++) {
      await expect.poll(async () => (await rig.held("kept"))?.modifiedIndex, { timeout: 5_000 }).toBeGreaterThan(last);
      last = (await rig.held("kept"))!.modifiedIndex;
    }
    expect((await rig.held("kept"))!.createdIndex).toBe(Number(pair.revision));
    expect(lost).toEqual([]);
    // And it still is the store's own to give back.
    await store.close();
    expect(await rig.held("kept")).toBeUndefined();
  }));

it("a lock's create whose reply is lost: nobody holds until it has run out, then the contender does", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    const before = rig.proxy.count.requests;
    const creating = rig.proxy.holdReplies();
    const locking = store.newLock("lock", { ttlMs: 2_000, value: "me" }).lock();
    await creating.arrived();
    expect(rig.proxy.count.requests - before).toBe(1);
    const orphan = (await rig.held("lock"))!;
    rig.proxy.cut();
    rig.proxy.resume();
    // Nothing tells it from another contender's with the same value: it must not be taken for ours, nor deleted.
    expect(await direct.newLock("lock").tryLock()).toBeUndefined();
    const hold = await locking;
    expect(hold.token).toBeGreaterThan(BigInt(orphan.createdIndex));
    expect(hold.held).toBe(true);
    expect(await direct.newLock("lock").tryLock()).toBeUndefined();
    await hold.unlock();
    expect(await rig.held("lock")).toBeUndefined();
  }));

it("an unlock whose reply is lost is unknown, and the lock is free", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const hold = await store.newLock("lock", { ttlMs: 30_000 }).lock();
    const { error, requests } = await losingReply(rig.proxy, () => hold.unlock());
    expect(error).toMatchObject(unknown);
    expect(requests).toBe(1);
    expect(hold.held).toBe(false);
    expect(await rig.held("lock")).toBeUndefined();
  }));

it("a wait that is aborted in the middle of its create leaves no lock behind", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const creating = rig.proxy.holdReplies();
    const controller = new AbortController();
    const failure = store.newLock("lock", { ttlMs: 30_000 }).lock({ signal: controller.signal });
    const reason = new Error("no longer wanted");
    const settled = failure.catch((error: unknown) => error);
    await creating.arrived();
    expect(await rig.held("lock")).toBeDefined();
    controller.abort(reason);
    rig.proxy.resume();
    expect(await settled).toBe(reason);
    await expect.poll(() => rig.held("lock")).toBeUndefined();
  }));

it("a value over the limit is refused before anything is sent; the largest fits, however it is written", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    // In a form each of these takes three bytes.
    await store.put("large", "%".repeat(maxValueBytes));
    expect((await store.get("large"))?.value).toHaveLength(maxValueBytes);
    const before = rig.proxy.count.requests;
    expect(await failureOf(store.put("larger", new Uint8Array(maxValueBytes + 1)))).toMatchObject({
      code: "VALUE_TOO_LARGE",
      outcome: "not-applied",
    });
    expect(rig.proxy.count.requests).toBe(before);
  }));
