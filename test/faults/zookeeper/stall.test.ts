import { expect, it } from "vitest";
import type { Store } from "../../../src/core/store.js";
import type { KVPair } from "../../../src/core/pair.js";
import { failureOf, itemsUntil } from "../support/calls.js";
import { toldBeforeAnotherHolds } from "../support/silence.js";
import { withRig } from "./support.js";

interface Call {
  readonly name: string;
  readonly writes: boolean;
  readonly run: (store: Store, pair: KVPair) => Promise<unknown>;
}

const read = (name: string, run: Call["run"]): Call => ({ name, writes: false, run });
const write = (name: string, run: Call["run"]): Call => ({ name, writes: true, run });
const timeoutMs = 1_000;

/** Every call of a store but those that wait for a lock or a change. */
const calls: readonly Call[] = [
  write("put", (store) => store.put("p", "2", { timeoutMs })),
  write("put, ttl", (store) => store.put("t", "2", { timeoutMs, ttlMs: 60_000 })),
  read("get", (store) => store.get("k", { timeoutMs })),
  read("get, stale", (store) => store.get("k", { timeoutMs, consistency: "stale" })),
  read("exists", (store) => store.exists("k", { timeoutMs })),
  write("delete", (store) => store.delete("d", { timeoutMs })),
  read("list", (store) => store.list("", { timeoutMs })),
  read("keys", (store) => store.keys("", { timeoutMs })),
  read("scan", (store) => store.scan("", { timeoutMs })[Symbol.asyncIterator]().next()),
  write("deleteTree", (store) => store.deleteTree("tree", { timeoutMs })),
  write("atomicPut", (store, pair) => store.atomicPut("k", "2", pair, { timeoutMs })),
  write("atomicDelete", (store, pair) => store.atomicDelete("k", pair, { timeoutMs })),
  write("update", (store) => store.update("u", () => "2", { timeoutMs })),
  write("atomic", (store) => store.atomic().put("a", "1").put("b", "1").commit({ timeoutMs })),
  read("ping", (store) => store.ping({ timeoutMs })),
  write("tryLock", (store) => store.newLock("l").tryLock({ timeoutMs })),
];

it("a connection cut in the middle of every call: each settles, and the store goes on", () =>
  withRig(async (rig) => {
    const direct = await rig.openDirect();
    for (const { name, writes, run } of calls) {
      // One that has lost nothing yet is connected again soonest.
      const store = await rig.open();
      for (const key of ["k", "d", "tree/x", "u"]) await direct.put(key, "1");
      const pair = (await store.get("k"))!;
      const held = rig.proxy.holdReplies();
      const ended = run(store, pair).then(
        () => "done",
        (error: { code: string; outcome?: string }) => `${error.code} ${error.outcome ?? ""}`,
      );
      await held.arrived();
      rig.proxy.cut();
      rig.proxy.resume();
      // What only reads is asked again; a write's first request may be one that reads.
      expect(writes ? ["done", "UNREACHABLE unknown"] : ["done"], name).toContain(await ended);
      await store.put("after", name);
      await store.close();
      expect(await rig.contenders("l"), name).toEqual([]);
    }
  }));

it("a connection that falls silent in the middle of every call: each ends in its time, and the store goes on", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 4_000 });
    for (const key of ["k", "d", "tree/x", "u"]) await store.put(key, "1");
    const pair = (await store.get("k"))!;
    rig.proxy.stall();
    const startedAt = performance.now();
    const failures = calls.map(({ run }) => failureOf(run(store, pair)));
    for (const [at, failure] of failures.entries()) {
      const { code, outcome } = await failure;
      expect(["TIMEOUT", "UNREACHABLE"], calls[at]!.name).toContain(code);
      if (!calls[at]!.writes) expect(outcome, calls[at]!.name).toBeUndefined();
      else expect(["unknown", "not-applied"], calls[at]!.name).toContain(outcome);
    }
    // A contender takes a second more to tell that it leaves nothing behind.
    expect(performance.now() - startedAt).toBeLessThan(timeoutMs + 2_000);
    rig.proxy.resume();
    expect((await store.get("k", { timeoutMs: 20_000 }))?.key).toBe("k");
    await store.put("after", "1", { timeoutMs: 20_000 });
  }));

it("a watch whose connection fell silent goes on with everything that happened", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 3_000 });
    const other = await rig.openDirect();
    await other.put("d/0", "0");
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    const key = store.watch("d/0")[Symbol.asyncIterator]();
    await Promise.all([tree.next(), key.next()]);
    rig.proxy.stall();
    for (let n = 1; n <= 20; n++) await other.put(`d/${n}`, String(n));
    await other.delete("d/0");
    // Old connections stay stalled for ever: only a new one can bring the rest.
    await expect.poll(() => rig.proxy.accepted, { timeout: 10_000 }).toBeGreaterThan(1);
    rig.proxy.cut();
    rig.proxy.resume();
    const items = await itemsUntil(tree, ({ pairs }) => pairs.length === 20 && pairs[0]?.key === "d/1");
    const changed = new Set(items.flatMap((item) => item.changes.map(({ type, key: name }) => `${type} ${name}`)));
    expect(changed).toEqual(new Set([...Array.from({ length: 20 }, (_, at) => `put d/${at + 1}`), "delete d/0"]));
    await itemsUntil(key, (pair) => pair === undefined);
    await tree.return?.();
    await key.return?.();
  }));

it("a holder cut off without a word is told before another can hold, and the token grows", () =>
  withRig(async (rig) => {
    const cutOff = await rig.open({ sessionTimeoutMs: 3_000 });
    const silence = (): void => rig.proxy.stall();
    const { first, second } = await toldBeforeAnotherHolds(cutOff, await rig.openDirect(), silence);
    rig.proxy.cut();
    rig.proxy.resume();
    expect(await failureOf(first.unlock({ timeoutMs: 20_000 }))).toMatchObject({ code: "LOCK_LOST" });
    expect(second.held).toBe(true);
    await second.unlock();
  }));

it("a holder whose connection is cut and comes back in time still holds", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 20_000 });
    const hold = await store.newLock("lock", { ttlMs: 20_000, value: "me" }).lock();
    for (let cut = 0; cut < 3; cut++) {
      rig.proxy.cut();
      await store.ping();
      expect(hold.held).toBe(true);
      expect((await store.get("lock"))?.text()).toBe("me");
    }
    expect(await rig.contenders("lock")).toHaveLength(1);
    await hold.unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("a waiter whose connection is cut or silent keeps its place, and gets the lock", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 6_000 });
    const direct = await rig.openDirect();
    const blocker = await direct.newLock("lock").lock();
    const waiting = store.newLock("lock", { value: "waiter", ttlMs: 6_000 }).lock();
    await expect.poll(() => rig.contenders("lock")).toHaveLength(2);
    const place = (await rig.contenders("lock"))[1];
    const behind = direct.newLock("lock").lock();
    await expect.poll(() => rig.contenders("lock")).toHaveLength(3);
    rig.proxy.cut();
    await store.ping();
    const before = rig.proxy.accepted;
    rig.proxy.stall();
    await expect.poll(() => rig.proxy.accepted, { timeout: 20_000 }).toBeGreaterThan(before);
    rig.proxy.cut();
    rig.proxy.resume();
    await store.ping({ timeoutMs: 20_000 });
    expect((await rig.contenders("lock"))[1]).toBe(place);
    await blocker.unlock();
    const hold = await waiting;
    expect((await direct.get("lock"))?.text()).toBe("waiter");
    await hold.unlock();
    await (await behind).unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("a waiter whose session runs out in an outage goes on waiting in the next one, and gets the lock", () =>
  withRig(async (rig) => {
    const store = await rig.open({ sessionTimeoutMs: 1_500 });
    const direct = await rig.openDirect();
    const blocker = await direct.newLock("lock").lock();
    const waiting = store.newLock("lock", { value: "waiter", ttlMs: 1_500 }).lock();
    await expect.poll(() => rig.contenders("lock")).toHaveLength(2);
    rig.proxy.refuse();
    rig.proxy.cut();
    await expect.poll(() => rig.contenders("lock"), { timeout: 20_000 }).toHaveLength(1);
    await rig.proxy.accept();
    await expect.poll(() => rig.contenders("lock"), { timeout: 20_000 }).toHaveLength(2);
    await blocker.unlock();
    const hold = await waiting;
    expect(hold.held).toBe(true);
    expect((await direct.get("lock"))?.text()).toBe("waiter");
    await hold.unlock();
  }));
