import { expect } from "vitest";
import { maxValueBytes } from "../../../src/consul/capabilities.js";
import { failureOf, losingReply } from "../support/calls.js";
import { it, withRig } from "./support.js";

const unknown = { code: "UNREACHABLE", outcome: "unknown" };

it("writes whose reply is lost are unknown, applied, and never sent twice", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const pair = await store.put("swap", "1");
    await store.put("gone", "1");
    await store.put("tree/1", "1");
    const calls: [string, () => Promise<unknown>][] = [
      ["put", () => store.put("put", "1")],
      ["swap", () => store.atomicPut("swap", "2", pair)],
      ["new", () => store.atomicPut("new", "1", null)],
      ["gone", () => store.delete("gone")],
      ["tree", () => store.deleteTree("tree")],
      ["both", () => store.atomic().check("both", null).put("both", "1").put("other", "1").commit()],
    ];
    for (const [name, call] of calls) {
      const { error, requests } = await losingReply(rig.proxy, call);
      expect(error, name).toMatchObject(unknown);
      expect(requests, name).toBe(1);
      await store.ping();
    }
    expect(await rig.value("put")).toBe("1");
    expect(await rig.value("swap")).toBe("2");
    expect(await rig.value("new")).toBe("1");
    expect(await rig.value("other")).toBe("1");
    expect([await rig.held("gone"), await rig.held("tree/1")]).toEqual([undefined, undefined]);
  }));

it("a batch whose reply is lost: each call is told, and each write happened once", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
    const held = rig.proxy.holdReplies();
    const before = rig.proxy.count.requests;
    const failures = keys.map((key, at) =>
      failureOf(at % 2 === 0 ? store.put(key, "1") : store.atomicPut(key, "1", null)),
    );
    await held.arrived();
    expect(rig.proxy.count.requests - before).toBe(1);
    rig.proxy.cut();
    rig.proxy.resume();
    for (const error of await Promise.all(failures)) expect(error).toMatchObject(unknown);
    await store.ping();
    const revisions = await Promise.all(keys.map(async (key) => (await rig.held(key))?.ModifyIndex));
    // All in the one transaction that was carried out.
    expect(new Set(revisions).size).toBe(1);
  }));

it("an acquire whose reply is lost leaves no session and no key, and the lock is taken anew", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const held = rig.proxy.holdReplies();
    const locking = store.newLock("lock", { ttlMs: 30_000, value: "me" }).lock();
    // The first reply is that of the session: let it pass, and keep the next.
    await held.arrived(1);
    rig.proxy.resume();
    const acquiring = rig.proxy.holdReplies();
    await acquiring.arrived(1);
    expect(await rig.value("lock")).toBe("me");
    rig.proxy.cut();
    rig.proxy.resume();
    const hold = await locking;
    expect(hold.held).toBe(true);
    expect(await rig.sessions()).toHaveLength(1);
    await hold.unlock();
    expect(await rig.sessions()).toEqual([]);
    expect(await rig.held("lock")).toBeUndefined();
  }));

it("a put with a ttl whose reply is lost is unknown, and no session stays", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const held = rig.proxy.holdReplies();
    const failure = failureOf(store.put("ttl", "1", { ttlMs: 60_000, keepAlive: true }));
    await held.arrived(1);
    rig.proxy.resume();
    const writing = rig.proxy.holdReplies();
    await writing.arrived(1);
    rig.proxy.cut();
    rig.proxy.resume();
    expect(await failure).toMatchObject(unknown);
    await expect.poll(() => rig.sessions()).toEqual([]);
  }));

it("a value over the limit is refused before anything is sent; the largest fits", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await store.put("large", new Uint8Array(maxValueBytes));
    expect((await store.get("large"))?.value).toHaveLength(maxValueBytes);
    const before = rig.proxy.count.requests;
    expect(await failureOf(store.put("larger", new Uint8Array(maxValueBytes + 1)))).toMatchObject({
      code: "VALUE_TOO_LARGE",
      outcome: "not-applied",
    });
    expect(rig.proxy.count.requests).toBe(before);
  }));
