import { expect } from "vitest";
import type { StoreError } from "../../../src/core/errors.js";
import type { Store } from "../../../src/core/store.js";
import { failureOf, losingReply } from "../support/calls.js";
import { it, type Rig, withRig } from "./support.js";

/** The failure of a call whose reply is lost, when the store has found a connection that works again. */
async function losingReplyOf(rig: Rig, store: Store, call: () => Promise<unknown>): Promise<StoreError> {
  const { error } = await losingReply(rig.proxy, call);
  await store.ping();
  return error;
}

it("a put whose reply is lost: unknown, applied, and never sent twice", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const error = await losingReplyOf(rig, store, () => store.put("k", "1"));
    expect(error).toMatchObject({ code: "UNREACHABLE", outcome: "unknown", key: "k" });
    expect(await rig.puts("k")).toBe(1);
  }));

it("a compare-and-set whose reply is lost: unknown and never a conflict", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const pair = await store.put("k", "1");
    const swapped = await losingReplyOf(rig, store, () => store.atomicPut("k", "2", pair));
    expect(swapped).toMatchObject({ code: "UNREACHABLE", outcome: "unknown", key: "k" });
    const created = await losingReplyOf(rig, store, () => store.atomicPut("new", "1", null));
    expect(created).toMatchObject({ code: "UNREACHABLE", outcome: "unknown", key: "new" });
    expect((await store.get("k"))?.text()).toBe("2");
    expect([await rig.puts("k"), await rig.puts("new")]).toEqual([2, 1]);
  }));

it("a batch whose reply is lost: each call is told that it is unknown, each was applied once", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const keys = Array.from({ length: 40 }, (_, at) => `k${at}`);
    const write = (key: string, at: number) => (at % 2 === 0 ? store.put(key, "1") : store.atomicPut(key, "1", null));
    const held = rig.proxy.holdReplies();
    const failures = keys.map((key, at) => failureOf(write(key, at)));
    await held.arrived();
    rig.proxy.cut();
    rig.proxy.resume();
    for (const error of await Promise.all(failures)) {
      expect(error).toMatchObject({ code: "UNREACHABLE", outcome: "unknown" });
    }
    await store.ping();
    for (const key of keys) expect(await rig.puts(key), key).toBe(1);
  }));

it("a put with a ttl whose reply is lost: unknown, applied once, and no renewal keeps it", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    for (const keepAlive of [false, true]) {
      const key = keepAlive ? "kept" : "plain";
      // The lease's reply passes; the put's is lost.
      const granting = rig.proxy.holdReplies();
      const failure = failureOf(store.put(key, "1", { ttlMs: 2_000, keepAlive }));
      await granting.arrived();
      rig.proxy.resume();
      const putting = rig.proxy.holdReplies();
      await expect.poll(() => rig.puts(key), { timeout: 5_000 }).toBe(1);
      await putting.arrived();
      rig.proxy.cut();
      rig.proxy.resume();
      expect(await failure).toMatchObject({ code: "UNREACHABLE", outcome: "unknown", key });
      await store.ping();
      expect(await rig.puts(key)).toBeLessThanOrEqual(1);
      await expect.poll(() => rig.held(key), { timeout: 10_000 }).toBeUndefined();
    }
  }));

it("deletes, trees and transactions whose reply is lost are unknown too", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await store.put("d/1", "1");
    await store.put("gone", "1");
    const unknown = { code: "UNREACHABLE", outcome: "unknown" };
    expect(await losingReplyOf(rig, store, () => store.delete("gone"))).toMatchObject(unknown);
    expect(await losingReplyOf(rig, store, () => store.deleteTree("d"))).toMatchObject(unknown);
    const commit = () => store.atomic().check("t", null).put("t", "1").put("u", "1").commit();
    expect(await losingReplyOf(rig, store, commit)).toMatchObject(unknown);
    expect(await rig.names("")).toEqual(["t", "u"]);
  }));

it("a write that never reached the server is not there, and a write that is not sent goes out later", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    rig.proxy.stall("toServer");
    const lost = failureOf(store.put("lost", "1", { timeoutMs: 400 }));
    expect(await lost).toMatchObject({ code: "TIMEOUT", outcome: "unknown" });
    rig.proxy.refuse();
    rig.proxy.cut();
    rig.proxy.resume();
    const suspended = new Promise((resolve) => store.onStateChange(resolve));
    if (store.state === "connected") await suspended;
    const waiting = store.put("waiting", "1", { timeoutMs: 20_000 });
    const refused = await failureOf(store.put("refused", "1", { timeoutMs: 100 }));
    expect(refused).toMatchObject({ code: "UNREACHABLE", outcome: "not-applied" });
    await rig.proxy.accept();
    await waiting;
    expect(await rig.names("")).toEqual(["waiting"]);
  }));

it("update() stops at an unknown outcome and increments once", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await store.put("n", "1");
    const held = { now: rig.proxy.holdReplies() };
    rig.proxy.resume();
    const failure = failureOf(
      store.update("n", (current) => {
        held.now = rig.proxy.holdReplies();
        return String(Number(current?.text()) + 1);
      }),
    );
    // The read's reply has passed before the hold; the next to arrive is the write's.
    await expect.poll(() => rig.puts("n"), { timeout: 5_000 }).toBe(2);
    await held.now.arrived();
    rig.proxy.cut();
    rig.proxy.resume();
    expect(await failure).toMatchObject({ outcome: "unknown" });
    await store.ping();
    expect((await store.get("n"))?.text()).toBe("2");
  }));
