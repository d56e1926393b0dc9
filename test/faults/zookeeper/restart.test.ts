import { expect, it } from "vitest";
import { isStoreError } from "../../../src/core/errors.js";
import { itemsUntil } from "../support/calls.js";
import { withRig } from "./support.js";

it("a server killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect({ sessionTimeoutMs: 20_000 });
    const tree = store.watchTree("load")[Symbol.asyncIterator]();
    await tree.next();
    /** The last write of each key that was acknowledged. */
    const acknowledged = new Map<string, number>();
    const load = { over: false };
    let unknown = 0;
    const writer = async (key: string): Promise<void> => {
      for (let n = 1; !load.over; n++) {
        try {
          await store.put(key, String(n), { timeoutMs: 20_000 });
          acknowledged.set(key, n);
        } catch (error) {
          if (!isStoreError(error) || error.outcome !== "unknown") throw error;
          unknown++;
        }
      }
    };
    const writers = Promise.all(Array.from({ length: 32 }, (_, at) => writer(`load/${at}`)));
    const progress = async (): Promise<void> => {
      const before = acknowledged.get("load/0") ?? 0;
      await expect.poll(() => acknowledged.get("load/0") ?? 0, { timeout: 30_000 }).toBeGreaterThan(before + 20);
    };
    for (let kill = 0; kill < 3; kill++) {
      await Promise.race([progress(), writers]);
      await rig.server.member.kill();
      await rig.server.member.start();
    }
    await Promise.race([progress(), writers]);
    load.over = true;
    await writers;
    expect(unknown).toBeGreaterThan(0);
    for (const [key, last] of acknowledged) {
      expect(Number(await rig.held(key)), key).toBeGreaterThanOrEqual(last);
    }
    // The watch has gone through all of it, and comes to the present state.
    await store.put("load/end", "1");
    const items = await itemsUntil(tree, ({ changes }) => changes.some(({ key }) => key === "load/end"));
    const present = new Map((await store.list("load")).map((pair) => [pair.key, pair.revision]));
    expect(new Map(items.at(-1)!.pairs.map((pair) => [pair.key, pair.revision]))).toEqual(present);
    await tree.return?.();
  }));

it("watches of a server that comes back empty are told, and go on with lower revisions", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect({ sessionTimeoutMs: 1_500 });
    for (let n = 0; n < 30; n++) await store.put("old/k", String(n));
    const tree = store.watchTree("old")[Symbol.asyncIterator]();
    const key = store.watch("old/k")[Symbol.asyncIterator]();
    expect((await tree.next()).value.pairs.length).toBe(1);
    expect((await key.next()).value?.text()).toBe("29");
    const { revision } = (await store.get("old/k"))!;
    await rig.server.restart({ emptyData: true });
    const { value: emptied } = await tree.next();
    expect(emptied.pairs).toEqual([]);
    expect((await key.next()).value).toBeUndefined();
    expect((await store.put("old/k", "new", { timeoutMs: 20_000 })).revision).toBeLessThan(revision);
    expect((await tree.next()).value.pairs[0]?.text()).toBe("new");
    expect((await key.next()).value?.text()).toBe("new");
    await tree.return?.();
    await key.return?.();
  }));

it("a restart keeps keys with a ttl and locks of a session that outlives it", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect({ sessionTimeoutMs: 20_000 });
    await store.put("kept", "1", { ttlMs: 60_000, keepAlive: true });
    const hold = await store.newLock("lock", { ttlMs: 60_000, value: "me" }).lock();
    await rig.server.member.restart();
    expect((await store.get("kept", { timeoutMs: 20_000 }))?.text()).toBe("1");
    expect((await store.get("lock"))?.text()).toBe("me");
    expect(hold.held).toBe(true);
    await hold.unlock();
    expect(await rig.held("lock")).toBeUndefined();
  }));
