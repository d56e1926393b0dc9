import { expect, it } from "vitest";
import type { StoreError } from "../../../src/core/errors.js";
import type { Store } from "../../../src/core/store.js";
import { failureOf, losingReply } from "../support/calls.js";
import { type Rig, withRig } from "./support.js";

const unknown = { code: "UNREACHABLE", outcome: "unknown" };

it("a put whose reply is lost: unknown, applied, and never sent twice", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    await store.put("k", "1");
    const version = (await rig.version("k"))!;
    const { error, requests } = await losingReply(rig.proxy, () => store.put("k", "2"));
    expect(error).toMatchObject({ ...unknown, key: "k" });
    expect(requests).toBe(1);
    await store.ping();
    expect(await rig.held("k")).toBe("2");
    expect(await rig.version("k")).toBe(version + 1);
  }));

it("a compare-and-set whose reply is lost: unknown and never a conflict", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const pair = await store.put("k", "1");
    await store.get("k");
    const version = (await rig.version("k"))!;
    const { error } = await losingReply(rig.proxy, () => store.atomicPut("k", "2", pair));
    expect(error).toMatchObject({ ...unknown, key: "k" });
    await store.ping();
    expect(await rig.held("k")).toBe("2");
    expect(await rig.version("k")).toBe(version + 1);
    // What it thought it had read is out of date now, and that is a conflict.
    expect(await failureOf(store.atomicPut("k", "3", pair))).toMatchObject({ code: "KEY_MODIFIED" });
  }));

/**
 * Runs a call again and again, each time losing the connection at the reply to another of its requests: a read is made
 * again, a write is unknown. Gives the errors, in the order of the requests.
 */
async function losingEachReply(
  rig: Rig,
  call: (store: Store, key: string) => Promise<unknown>,
  name: string,
): Promise<StoreError[]> {
  const errors: StoreError[] = [];
  for (let at = 0; ; at++) {
    // One that is connected, and has not learned to be patient.
    const store = await rig.open();
    let settled = false;
    let held = rig.proxy.holdReplies();
    const ended = call(store, `${name}/${at}`)
      .then(
        () => undefined,
        (reason: unknown) => reason as StoreError,
      )
      .finally(() => (settled = true));
    for (let passed = 0; passed < at; passed++) {
      await Promise.race([held.arrived(), ended]);
      rig.proxy.resume();
      held = rig.proxy.holdReplies();
    }
    await Promise.race([held.arrived(), ended]);
    const was = { settled };
    rig.proxy.cut();
    rig.proxy.resume();
    const error = await ended;
    await store.close();
    if (error !== undefined) errors.push(error);
    // All its requests were answered before anything was lost.
    if (was.settled) return errors;
  }
}

it("creates, deletes and transactions whose reply is lost, at each of their requests: unknown and never a conflict", () =>
  withRig(async (rig) => {
    const direct = await rig.openDirect();
    const other = await direct.put("other", "1");
    const calls: [string, (store: Store, key: string) => Promise<unknown>][] = [
      ["put", (store, key) => store.put(key, "1")],
      ["first", (store, key) => store.atomicPut(key, "1", null)],
      ["ttl", (store, key) => store.put(key, "1", { ttlMs: 60_000 })],
      ["both", (store, key) => store.atomic().check("other", other).put(key, "1").put(`${key}-too`, "1").commit()],
      ["swap", async (store, key) => store.atomicPut(key, "2", await direct.put(key, "1"))],
      ["gone", async (store, key) => (await direct.put(key, "1"), store.delete(key))],
      ["dead", async (store, key) => store.atomicDelete(key, await direct.put(key, "1"))],
      ["tree", async (store, key) => (await direct.put(`${key}/below`, "1"), store.deleteTree(key))],
    ];
    for (const [name, call] of calls) {
      const errors: StoreError[] = [];
      // Answers may arrive two at once, and the one that matters be passed on with another: then all over again.
      for (let round = 0; round < 20 && errors.length === 0; round++) {
        errors.push(...(await losingEachReply(rig, call, `${name}/${round}`)));
      }
      expect(errors.length, name).toBeGreaterThan(0);
      for (const error of errors) expect(error, name).toMatchObject(unknown);
    }
    // What was applied was applied whole.
    const keys = await direct.keys("both");
    expect(keys.filter((key) => !key.endsWith("-too")).map((key) => `${key}-too`)).toEqual(
      keys.filter((key) => key.endsWith("-too")),
    );
  }));

it("a batch whose reply is lost: each call is told, and each write happened once", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const keys = Array.from({ length: 20 }, (_, at) => `k${at}`);
    const pairs = await Promise.all(keys.map((key) => store.put(key, "0")));
    const versions = await Promise.all(keys.map((key) => rig.version(key)));
    await Promise.all(keys.map((key) => store.get(key)));
    const before = rig.proxy.count.replies;
    const held = rig.proxy.holdReplies();
    const failures = keys.map((key, at) =>
      failureOf(at % 2 === 0 ? store.put(key, "1") : store.atomicPut(key, "1", pairs[at])),
    );
    await held.arrived();
    // All of them have been carried out before the connection goes.
    await expect.poll(async () => (await Promise.all(keys.map((key) => rig.held(key)))).join("")).toBe("1".repeat(20));
    expect(rig.proxy.count.replies).toBeGreaterThan(before);
    rig.proxy.cut();
    rig.proxy.resume();
    for (const error of await Promise.all(failures)) expect(error).toMatchObject(unknown);
    await store.ping();
    expect(await Promise.all(keys.map((key) => rig.version(key)))).toEqual(versions.map((version) => version! + 1));
  }));

it("a value over the limit is refused before anything is sent; the largest fits, with the longest key", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const largest = store.capabilities.values.maxBytes;
    const key = Array.from({ length: 8 }, () => "x".repeat(127)).join("/");
    await store.put(key, new Uint8Array(largest).fill(7));
    expect((await store.get(key))?.value).toEqual(new Uint8Array(largest).fill(7));
    const before = rig.proxy.count.requests;
    expect(await failureOf(store.put("larger", new Uint8Array(largest + 1)))).toMatchObject({
      code: "VALUE_TOO_LARGE",
      outcome: "not-applied",
    });
    expect(rig.proxy.count.requests).toBe(before);
    expect(store.state).toBe("connected");
  }));
