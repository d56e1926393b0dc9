import { expect } from "vitest";
import { itemsUntil } from "../support/calls.js";
import { endsCallsInTime, toldBeforeAnotherHolds } from "../support/silence.js";
import { it, withRig } from "./support.js";

it("reads and writes on a connection that fell silent end in time, and the next connection serves", () =>
  withRig(async (rig) => endsCallsInTime(await rig.open(), rig.proxy)));

it("a watch whose connection fell silent goes on with everything that happened", () =>
  withRig(async (rig) => {
    const store = await rig.open({ watch: { progressIntervalMs: 500, progressTimeoutMs: 500 } });
    const other = await rig.openDirect();
    await other.put("d/0", "0");
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    await tree.next();
    rig.proxy.stall();
    for (let n = 1; n <= 20; n++) await other.put(`d/${n}`, String(n));
    await other.delete("d/0");
    // Old connections stay stalled for ever: only a new one can bring the rest.
    await expect.poll(() => rig.proxy.accepted, { timeout: 10_000 }).toBeGreaterThan(1);
    rig.proxy.cut();
    rig.proxy.resume();
    const items = await itemsUntil(tree, ({ changes }) => changes.some(({ key }) => key === "d/0"));
    const changes = items.flatMap((item) => item.changes.map(({ type, key }) => `${type} ${key}`));
    expect(changes).toEqual([...Array.from({ length: 20 }, (_, at) => `put d/${at + 1}`), "delete d/0"]);
    await tree.return?.();
  }));

it("a holder cut off without a word is told before another can hold, and the token grows", () =>
  withRig(async (rig) => {
    const silence = (): void => rig.proxy.stall();
    const { second } = await toldBeforeAnotherHolds(await rig.open(), await rig.openDirect(), silence);
    await second.unlock();
  }));

it("a wait for a lock outlasts an outage longer than its ttl", () =>
  withRig(async (rig) => {
    const holder = await rig.openDirect();
    const cutOff = await rig.open();
    const hold = await holder.newLock("lock").lock();
    let got = false;
    const waiting = cutOff
      .newLock("lock", { ttlMs: 2_000 })
      .lock()
      .then((second) => {
        got = true;
        return second;
      });
    await expect.poll(() => rig.names("lock___lock/").then((names) => names.length)).toBe(2);
    rig.proxy.refuse();
    rig.proxy.stall();
    // The server drops the waiter's place.
    await expect.poll(() => rig.names("lock___lock/").then((names) => names.length), { timeout: 10_000 }).toBe(1);
    rig.proxy.cut();
    rig.proxy.resume();
    await rig.proxy.accept();
    await expect.poll(() => rig.names("lock___lock/").then((names) => names.length), { timeout: 20_000 }).toBe(2);
    expect(got).toBe(false);
    await hold.unlock();
    const second = await waiting;
    expect(second.token > hold.token).toBe(true);
    await second.unlock();
    expect(await rig.names("lock")).toEqual([]);
  }));
