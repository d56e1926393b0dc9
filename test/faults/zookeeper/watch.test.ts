import { describe, expect, it } from "vitest";
import { itemsUntil } from "../support/calls.js";
import { missesNothingThroughCuts } from "../support/cuts.js";
import { withRig } from "./support.js";

// 3.8 has recursive watches; on 3.4 watches fire once and are set again.
describe.each(["3.8", "3.4"])("watches on ZooKeeper %s", (version) => {
  it("go on after their connection was cut, and miss nothing", () =>
    withRig(
      async (rig) => {
        const store = await rig.open({ sessionTimeoutMs: 20_000 });
        await missesNothingThroughCuts(store, await rig.openDirect(), rig.proxy);
      },
      { version },
    ));

  it("see a key that is deleted and made again, with the same bytes, as often as it happens slowly", () =>
    withRig(
      async (rig) => {
        const store = await rig.open();
        const direct = await rig.openDirect();
        await direct.put("k", "same");
        const watch = store.watch("k")[Symbol.asyncIterator]();
        let last = (await watch.next()).value?.revision ?? 0n;
        for (let turn = 0; turn < 10; turn++) {
          await direct.delete("k");
          expect((await watch.next()).value).toBeUndefined();
          await direct.put("k", "same");
          const { value } = await watch.next();
          expect(value?.text()).toBe("same");
          expect(value!.revision).toBeGreaterThan(last);
          last = value!.revision;
        }
      },
      { version },
    ));

  it("see the last of a storm of deletes and creates, never going back, also when the connection is cut in it", () =>
    withRig(
      async (rig) => {
        const store = await rig.open({ sessionTimeoutMs: 20_000 });
        const direct = await rig.openDirect();
        const tree = store.watchTree("w")[Symbol.asyncIterator]();
        const key = store.watch("w/1")[Symbol.asyncIterator]();
        await Promise.all([tree.next(), key.next()]);
        const storm = async (name: string): Promise<void> => {
          for (let n = 0; n < 60; n++) {
            await direct.put(name, String(n));
            await direct.put(`${name}/below`, String(n));
            await direct.delete(name);
            if (n % 20 === 10) rig.proxy.cut();
            await direct.deleteTree(name);
          }
          await direct.put(name, "end");
        };
        const blowing = Promise.all(Array.from({ length: 5 }, (_, at) => storm(`w/${at}`)));
        const revisions = new Map<string, bigint>();
        await itemsUntil(tree, ({ changes, pairs }) => {
          for (const change of changes) {
            if (change.type !== "put") continue;
            expect(change.pair.revision).toBeGreaterThan(revisions.get(change.key) ?? 0n);
            revisions.set(change.key, change.pair.revision);
          }
          return pairs.length === 5 && pairs.every((pair) => pair.text() === "end");
        });
        await itemsUntil(key, (pair) => pair?.text() === "end");
        await blowing;
      },
      { version },
    ));

  it("outlive their session, and are told of what happened after it", () =>
    withRig(
      async (rig) => {
        const store = await rig.open({ sessionTimeoutMs: 1_500 });
        const direct = await rig.openDirect();
        await direct.put("w/1", "before");
        const tree = store.watchTree("w")[Symbol.asyncIterator]();
        const key = store.watch("w/1")[Symbol.asyncIterator]();
        await Promise.all([tree.next(), key.next()]);
        await rig.killSession(store);
        await direct.put("w/1", "between");
        await itemsUntil(key, (pair) => pair?.text() === "between");
        rig.proxy.refuse();
        rig.proxy.cut();
        // Longer than the session lives: the next one has none of the old one's watches.
        const { id } = store.client.sessionCredentials ?? { id: 0n };
        await expect.poll(() => store.client.sessionCredentials?.id, { timeout: 20_000 }).not.toBe(id);
        await direct.put("w/1", "after");
        await direct.put("w/2", "new");
        await rig.proxy.accept();
        await itemsUntil(key, (pair) => pair?.text() === "after");
        await itemsUntil(tree, ({ pairs }) => pairs.map((pair) => pair.text()).join() === "after,new");
        await direct.put("w/3", "live");
        await itemsUntil(tree, ({ pairs }) => pairs.length === 3);
      },
      { version },
    ));
});
