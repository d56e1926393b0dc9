import { expect } from "vitest";
import type { StateChange } from "../../../src/core/store.js";
import { failureOf, putUntilDone } from "../support/calls.js";
import { keepsWritesThroughKills } from "../support/load.js";
import { it, withRig } from "./support.js";

it("an agent killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const { member } = rig.server;
    await keepsWritesThroughKills(await rig.openDirect(), {
      times: 2,
      killAndStart: () => member.kill().then(() => member.start()),
      held: (key) => rig.value(key),
    });
  }));

it("without a leader the store is suspended, and goes on when there is one again", () =>
  withRig(
    async (rig) => {
      const store = await rig.openDirect();
      const changes: StateChange[] = [];
      store.onStateChange((change) => changes.push(change));
      await store.put("k", "1");
      const others = rig.server.members.slice(1);
      await Promise.all(others.map((member) => member.kill()));
      const refused = await failureOf(store.put("k", "2", { timeoutMs: 5_000 }));
      expect(["UNREACHABLE", "TIMEOUT"]).toContain(refused.code);
      await expect.poll(() => store.state, { timeout: 20_000 }).toBe("suspended");
      // A leader that has only just come may break off what it was asked ("stream closed").
      const waiting = putUntilDone(store, "later", "1", 60_000);
      await Promise.all(others.map((member) => member.start()));
      expect((await waiting).text()).toBe("1");
      expect(store.state).toBe("connected");
      expect(changes.map(({ state }) => state)).toContain("suspended");
    },
    { cluster: 3 },
  ));

it("several agents: calls and watches move to one that answers", () =>
  withRig(
    async (rig) => {
      const store = await rig.open({ endpoints: rig.server.hosts.split(",") });
      await store.put("k", "1");
      const watch = store.watch("k")[Symbol.asyncIterator]();
      await watch.next();
      const [first] = rig.server.members;
      await first!.kill();
      await putUntilDone(store, "k", "2", 30_000);
      expect((await watch.next()).value?.text()).toBe("2");
      await first!.start();
    },
    { cluster: 3 },
  ));
