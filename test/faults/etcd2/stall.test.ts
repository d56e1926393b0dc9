import { expect } from "vitest";
import { itemsUntil } from "../support/calls.js";
import { endsCallsInTime, toldBeforeAnotherHolds } from "../support/silence.js";
import { it, withRig } from "./support.js";

it("reads and writes on connections that fell silent end in time, and the next connections serve", () =>
  withRig(async (rig) => endsCallsInTime(await rig.open(), rig.proxy)));

it("watches whose connections fell silent go on with everything that happened", () =>
  withRig(async (rig) => {
    const store = await rig.open({ watchCheckMs: 1_000 });
    const other = await rig.openDirect();
    await other.put("d/0", "0");
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    const key = store.watch("d/0")[Symbol.asyncIterator]();
    await Promise.all([tree.next(), key.next()]);
    await expect.poll(() => rig.watchers()).toBe(2);
    const accepted = rig.proxy.accepted;
    rig.proxy.stall();
    for (let n = 1; n <= 20; n++) await other.put(`d/${n}`, String(n));
    await other.delete("d/0");
    // Old connections stay stalled for ever: only new ones can bring the rest.
    await expect.poll(() => rig.proxy.accepted, { timeout: 20_000 }).toBeGreaterThan(accepted);
    rig.proxy.cut();
    rig.proxy.resume();
    const { pairs } = (await itemsUntil(tree, (item) => item.pairs.length === 20)).at(-1)!;
    expect(pairs.map((pair) => Number(pair.text())).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    expect((await key.next()).value).toBeUndefined();
    await Promise.all([tree.return?.(), key.return?.()]);
  }));

it("a holder cut off without a word is told before another can hold, and the token grows", () =>
  withRig(async (rig) => {
    const silence = (): void => rig.proxy.stall();
    const { second } = await toldBeforeAnotherHolds(await rig.open(), await rig.openDirect(), silence);
    await second.unlock();
  }));

it("a wait for a lock outlasts a silent connection and a cut one, and leaves nothing behind", () =>
  withRig(async (rig) => {
    const holder = await rig.openDirect();
    const cutOff = await rig.open({ watchCheckMs: 1_000 });
    for (const outage of ["silent", "cut"]) {
      const hold = await holder.newLock("lock", { ttlMs: 60_000 }).lock();
      const waiting = cutOff.newLock("lock", { ttlMs: 2_000 }).lock();
      await expect.poll(() => rig.watchers()).toBe(1);
      const accepted = rig.proxy.accepted;
      if (outage === "silent") rig.proxy.stall();
      else {
        rig.proxy.refuse();
        rig.proxy.cut();
      }
      await hold.unlock();
      if (outage === "silent") {
        await expect.poll(() => rig.proxy.accepted, { timeout: 20_000 }).toBeGreaterThan(accepted);
        rig.proxy.cut();
        rig.proxy.resume();
      } else await rig.proxy.accept();
      const second = await waiting;
      expect(second.token > hold.token).toBe(true);
      await second.unlock();
      expect(await rig.held("lock")).toBeUndefined();
    }
  }));
