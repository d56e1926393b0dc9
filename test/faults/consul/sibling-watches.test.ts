import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { changeByChance, FollowedKeys } from "../../integration/followed-keys.js";
import { blockingConnections } from "../../../src/consul/client/http.js";
import { mostSplitQueries } from "../../../src/consul/watch-query.js";
import { it, withRig } from "./support.js";

/** Calls of a store share this many connections at most. */
const callConnections = 8;
/** Of a directory whose watches are not split: one, beside those of four keys. */
const wholeQueries = 5;
const keys = Array.from({ length: 300 }, (_, at) => `d/${at}`);

it("watches of sibling keys miss nothing while their connections are cut and their queries are split", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    await Promise.all(keys.map((key) => direct.put(key, "there before".padEnd(100, "."))));
    const followed = new FollowedKeys();
    await followed.follow(store, keys);
    let most = 0;
    for (let cut = 0; cut < 12; cut++) {
      const changes = changeByChance([direct], keys, 100);
      for (let times = 0; times < 3; times++) {
        await setTimeout(Math.random() * 40);
        most = Math.max(most, rig.proxy.connections);
        rig.proxy.cut();
      }
      await changes;
      await followed.expectToBeCurrent(direct, "d");
      // With nothing in the way, until it is cut again.
      await changeByChance([direct], keys, 50);
    }
    await followed.expectToBeCurrent(direct, "d");
    expect(most).toBeGreaterThan(callConnections + wholeQueries);
    expect(rig.proxy.connections).toBeLessThanOrEqual(callConnections + mostSplitQueries);
    await followed.end();
  }));

it("split queries give way to more than there are connections for, and nothing is missed", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    await Promise.all(keys.map((key) => direct.put(key, "there before".padEnd(100, "."))));
    const followed = new FollowedKeys();
    await followed.follow(store, keys);
    const isSplit = (): boolean => rig.proxy.connections > callConnections + wholeQueries + 15;
    for (let round = 0; round < 40 && !isSplit(); round++) await changeByChance([direct], keys, 50);
    expect(isSplit()).toBe(true);
    const trees = Array.from({ length: blockingConnections - 10 }, (_, at) =>
      store.watchTree(`t${at}`)[Symbol.asyncIterator](),
    );
    await Promise.all(trees.map((tree) => tree.next()));
    const changes = trees.map((tree) => tree.next());
    await changeByChance([direct], keys, 200);
    await Promise.all(trees.map((_, at) => direct.put(`t${at}/k`, "there")));
    for (const { value } of await Promise.all(changes)) expect(value?.pairs[0]?.text()).toBe("there");
    await followed.expectToBeCurrent(direct, "d");
    await Promise.all(trees.map((tree) => tree.return!()));
    // A query that is not needed any more is waited for no longer than it waits on the server.
    const queries = (): number => rig.proxy.connections;
    await expect.poll(queries, { timeout: 40_000 }).toBeLessThanOrEqual(callConnections + wholeQueries);
    await changeByChance([direct], keys, 200);
    await followed.expectToBeCurrent(direct, "d");
    await followed.end();
    expect(queries()).toBeLessThanOrEqual(callConnections + wholeQueries);
  }));
