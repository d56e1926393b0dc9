import { expect } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { itemsUntil } from "../support/calls.js";
import { it, text, withRig } from "./support.js";

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
    for (let kill = 0; kill < 3; kill++) {
      const before = acknowledged.get("load/0") ?? 0;
      await expect.poll(() => acknowledged.get("load/0") ?? 0, { timeout: 20_000 }).toBeGreaterThan(before + 20);
      await rig.server.member.kill();
      await rig.server.member.start();
    }
    const before = acknowledged.get("load/0")!;
    await expect.poll(() => acknowledged.get("load/0")!, { timeout: 20_000 }).toBeGreaterThan(before);
    load.over = true;
    await Promise.all(writers);
    expect(unknown).toBeGreaterThan(0);
    for (const [key, last] of acknowledged) {
      const found = Number(text((await rig.held(key))?.value));
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

it("a token that the server forgot is asked for again, by calls and by watches", () =>
  withRig(
    async (rig) => {
      const auth = { username: "app", password: "secret" };
      const store = await rig.open({ auth });
      await store.put("k", "1");
      const watching = store.watch("k")[Symbol.asyncIterator]();
      expect((await watching.next()).value?.text()).toBe("1");
      await rig.server.member.restart();
      const writes = Array.from({ length: 20 }, (_, at) => store.put(`many/${at}`, "1", { timeoutMs: 20_000 }));
      await Promise.all(writes);
      await store.put("k", "2");
      expect((await watching.next()).value?.text()).toBe("2");
      await watching.return?.();
    },
    { auth: { user: "app", password: "secret" } },
  ));
