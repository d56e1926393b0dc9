import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "vitest";
import { itemsUntil } from "../support/calls.js";
import { it, withRig } from "./support.js";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes of values, and of whatever else is in buffers, that somebody still holds. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

it("a watcher slower than the writer gets the latest state, and memory stays bounded", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect();
    const writer = await rig.openDirect();
    const tree = store.watchTree("d")[Symbol.asyncIterator]();
    await tree.next();
    const value = new Uint8Array(10_000);
    const write = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        await Promise.all(Array.from({ length: 20 }, (_, at) => writer.put(`d/${at}`, value)));
      }
    };
    await write(10);
    const before = heldBytes();
    // 40 MB of values for 20 keys, and nobody takes an item.
    await write(200);
    const last = await writer.put("d/end", "1");
    await expect.poll(() => heldBytes() - before, { timeout: 10_000 }).toBeLessThan(5_000_000);
    const items = await itemsUntil(tree, ({ pairs }) => pairs.some(({ revision }) => revision === last.revision));
    expect(items.length).toBeLessThan(30);
    const present = (await store.list("d")).map(({ key, revision }) => `${key} ${revision}`);
    expect(items.at(-1)!.pairs.map(({ key, revision }) => `${key} ${revision}`)).toEqual(present);
    await tree.return?.();
  }));
