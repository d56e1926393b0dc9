import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { changeByChance, FollowedKeys } from "../../integration/followed-keys.js";
import { blockingConnections } from "../../../src/consul/client/http.js";
import type { ConsulStore } from "../../../src/consul/index.js";
import { mostSplitQueries } from "../../../src/consul/watch-query.js";
import { it, withRig } from "./support.js";

/** Calls of a store share this many connections at most. */
const callConnections = 8;
/** Of a directory whose watches are not split: one, beside those of four keys. */
const wholeQueries = 5;
const keys = Array.from({ length: 300 }, (_, at) => `d/${at}`);
const management = "11111111-2222-3333-4444-555555555555";

const thereBefore = (store: ConsulStore): Promise<unknown> =>
  Promise.all(keys.map((key) => store.put(key, "there before".padEnd(100, "."))));

it("watches of sibling keys miss nothing when connections are cut while queries are being split", () =>
  withRig(async (rig) => {
    const direct = await rig.openDirect();
    await thereBefore(direct);
    let splits = 0;
    // A store that was cut off splits no queries for a minute, so each round takes another.
    for (let round = 0; round < 10; round++) {
      const store = await rig.open();
      const followed = new FollowedKeys();
      await followed.follow(store, keys);
      const changes = changeByChance([direct], keys, 300);
      // Later from round to round, that a slow machine comes to splits too.
      await setTimeout(30 + Math.random() * 200 * (round + 1));
      if (rig.proxy.connections > callConnections + wholeQueries) splits++;
      rig.proxy.cut();
      await changes;
      await followed.expectToBeCurrent(direct, "d");
      expect(rig.proxy.connections).toBeLessThanOrEqual(callConnections + mostSplitQueries);
      await changeByChance([direct], keys, 50);
      await followed.expectToBeCurrent(direct, "d");
      await followed.end();
      await store.close();
    }
    expect(splits).toBeGreaterThan(0);
  }));

it("watches of sibling keys go on where the agent accepts fewer connections than split queries take", () =>
  withRig(
    async (rig) => {
      const direct = await rig.openDirect();
      await thereBefore(direct);
      const store = await rig.open();
      const followed = new FollowedKeys();
      await followed.follow(store, keys);
      const before = rig.proxy.accepted;
      await changeByChance([direct], keys, 600);
      expect(rig.proxy.accepted - before).toBeGreaterThan(10);
      await followed.expectToBeCurrent(direct, "d");
      await expect.poll(() => store.state).toBe("connected");
      await changeByChance([direct], keys, 200);
      await followed.expectToBeCurrent(direct, "d");
      // Connections that nobody uses are closed after some seconds.
      const connections = (): number => rig.proxy.connections;
      await expect.poll(connections, { timeout: 30_000 }).toBeLessThanOrEqual(callConnections + wholeQueries);
      await followed.end();
    },
    { extraConfig: { limits: { http_max_conns_per_client: 25 } } },
  ));

it("a key that its token may not read is shown as absent, whether its directory's query is split or not", () =>
  withRig(
    async (rig) => {
      const rules = 'key_prefix "d/" { policy = "write" }\nkey "d/1" { policy = "deny" }';
      const policy = JSON.stringify({ Name: "kvasir", Rules: rules });
      expect((await rig.ask("PUT", "/v1/acl/policy", policy)).status).toBe(200);
      const created = await rig.ask("PUT", "/v1/acl/token", JSON.stringify({ Policies: [{ Name: "kvasir" }] }));
      const store = await rig.open({ token: (JSON.parse(created.text) as { SecretID: string }).SecretID });
      const direct = await rig.openDirect({ token: management });
      await Promise.all(keys.map((key) => direct.put(key, "there before".padEnd(1_000, "."))));
      const followed = new FollowedKeys();
      const readable = keys.filter((key) => key !== "d/1").toReversed();
      await followed.follow(store, readable);
      const denied = store.watch("d/1")[Symbol.asyncIterator]();
      expect((await denied.next()).value).toBeUndefined();
      const later = denied.next().then(
        () => "told something",
        (error: unknown) => error,
      );
      // It is alone in its query once those of the keys that begin with it are split.
      await changeByChance(
        [direct],
        readable.filter((key) => key.startsWith("d/1")),
        1_000,
      );
      await followed.expectToBeCurrent(store, "d");
      expect(await Promise.race([later, Promise.resolve("nothing")])).toBe("nothing");
      await denied.return!();
      await followed.end();
    },
    { acl: { token: management } },
  ));

it("split queries give way to more than there are connections for, and nothing is missed", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const direct = await rig.openDirect();
    await thereBefore(direct);
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
