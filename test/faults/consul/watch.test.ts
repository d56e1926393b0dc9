import { expect } from "vitest";
import { itemsUntil } from "../support/calls.js";
import { missesNothingThroughCuts } from "../support/cuts.js";
import { it, withRig } from "./support.js";

it("watches go on after their connection was cut, and miss nothing", () =>
  withRig(async (rig) => missesNothingThroughCuts(await rig.open(), await rig.openDirect(), rig.proxy)));

it("a blocking query that died without a word is noticed, and the watch goes on", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    await direct.put("k", "before");
    const watch = store.watch("k")[Symbol.asyncIterator]();
    await watch.next();
    await expect.poll(() => rig.proxy.connections).toBe(2);
    rig.proxy.stall();
    await direct.put("k", "meanwhile");
    const next = watch.next();
    // Only when the dead query was given up is there another connection; those that are stalled stay so.
    await expect.poll(() => rig.proxy.accepted, { timeout: 40_000 }).toBeGreaterThan(2);
    rig.proxy.cut();
    rig.proxy.resume();
    expect((await next).value?.text()).toBe("meanwhile");
  }));

it("an agent that comes back without its data: the difference is told, and the watch goes on from there", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    for (let n = 0; n < 50; n++) await store.put(`w/${n % 3}`, String(n));
    const tree = store.watchTree("w")[Symbol.asyncIterator]();
    const [first] = await itemsUntil(tree, () => true);
    expect(first!.pairs).toHaveLength(3);
    await rig.server.restart({ emptyData: true });
    const items = await itemsUntil(tree, ({ pairs }) => pairs.length === 0);
    expect(items.flatMap(({ changes }) => changes.map(({ type }) => type))).toEqual(["delete", "delete", "delete"]);
    await store.put("w/new", "1");
    const [created] = await itemsUntil(tree, () => true);
    expect(created!.changes).toMatchObject([{ type: "put", key: "w/new" }]);
  }));
