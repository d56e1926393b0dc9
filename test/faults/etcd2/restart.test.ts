import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { itemsUntil } from "../support/calls.js";
import { it, withRig } from "./support.js";

it("a server killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const tree = store.watchTree("load")[Symbol.asyncIterator]();
    await tree.next();
    /** The last write of each key that was acknowledged, and all that may have been applied. */
    const acknowledged = new Map<string, number>();
    const possible = new Map<string, Set<number>>();
    const load = { over: false };
    let unknown = 0;
    const writer = async (key: string): Promise<void> => {
      possible.set(key, new Set());
      for (let n = 1; !load.over; n++) {
        try {
          possible.get(key)!.add(n);
          await store.put(key, String(n));
          acknowledged.set(key, n);
        } catch (error) {
          if (!isStoreError(error) || error.outcome !== "unknown") throw error;
          unknown++;
        }
      }
    };
    const writers = Array.from({ length: 32 }, (_, at) => writer(`load/${at}`));
    const progress = async (): Promise<void> => {
      const before = acknowledged.get("load/0") ?? 0;
      await expect.poll(() => acknowledged.get("load/0") ?? 0, { timeout: 30_000 }).toBeGreaterThan(before + 20);
    };
    for (let kill = 0; kill < 3; kill++) {
      await progress();
      await rig.server.member.kill();
      await rig.server.member.start();
    }
    await progress();
    load.over = true;
    await Promise.all(writers);
    expect(unknown).toBeGreaterThan(0);
    for (const [key, last] of acknowledged) {
      const found = Number(await rig.value(key));
      expect(found, key).toBeGreaterThanOrEqual(last);
      expect(possible.get(key)!.has(found), key).toBe(true);
    }
    // The watch has gone through all of it, and comes to the present state.
    await store.put("load/end", "1");
    const items = await itemsUntil(tree, ({ changes }) => changes.some(({ key }) => key === "load/end"));
    const present = new Map((await store.list("load")).map((pair) => [pair.key, pair.revision]));
    expect(new Map(items.at(-1)!.pairs.map((pair) => [pair.key, pair.revision]))).toEqual(present);
    await tree.return?.();
  }));

it("a server killed in the midst of compare-and-sets: each that was acknowledged happened, none twice", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    let pair = await store.put("n", "0");
    let killed: Promise<void> | undefined;
    for (let n = 1; n <= 400; n++) {
      if (n === 200) killed ??= rig.server.member.kill().then(() => rig.server.member.start());
      try {
        pair = await store.atomicPut("n", String(n), pair, { timeoutMs: 20_000 });
      } catch (error) {
        // Only what is unknown may fail: a write of our own that came through is no conflict.
        expect(error).toMatchObject({ outcome: "unknown" });
        await killed;
        pair = (await store.get("n", { timeoutMs: 20_000 }))!;
        expect([String(n - 1), String(n)]).toContain(pair.text());
        n = Number(pair.text());
      }
    }
    await killed;
    expect(await rig.value("n")).toBe("400");
  }));

it("watches of a server that comes back empty are told, and go on", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    for (let n = 0; n < 30; n++) await store.put("old/k", String(n));
    const tree = store.watchTree("old")[Symbol.asyncIterator]();
    const key = store.watch("old/k")[Symbol.asyncIterator]();
    expect((await tree.next()).value.pairs.length).toBe(1);
    expect((await key.next()).value?.text()).toBe("29");
    await rig.server.restart({ emptyData: true });
    const { value: emptied } = await tree.next();
    expect(emptied.pairs).toEqual([]);
    expect((await key.next()).value).toBeUndefined();
    await store.put("old/k", "new");
    expect((await tree.next()).value.pairs[0]?.text()).toBe("new");
    expect((await key.next()).value?.text()).toBe("new");
    await tree.return?.();
    await key.return?.();
  }));
