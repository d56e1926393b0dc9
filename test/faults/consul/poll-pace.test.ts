import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { failureOf, putUntilDone } from "../support/calls.js";
import { it, type Rig, withRig } from "./support.js";

const management = "11111111-2222-3333-4444-555555555555";

/** How many requests go through the proxy in so many milliseconds. */
async function requestsIn(rig: Rig, milliseconds: number): Promise<number> {
  const before = rig.proxy.count.requests;
  await setTimeout(milliseconds);
  return rig.proxy.count.requests - before;
}

it("a watch that its token may not read ends at once, and asks no more", () =>
  withRig(
    async (rig) => {
      const policy = JSON.stringify({ Name: "kvasir", Rules: 'session_prefix "" { policy = "write" }' });
      expect((await rig.ask("PUT", "/v1/acl/policy", policy)).status).toBe(200);
      const created = await rig.ask("PUT", "/v1/acl/token", JSON.stringify({ Policies: [{ Name: "kvasir" }] }));
      const store = await rig.open({ token: (JSON.parse(created.text) as { SecretID: string }).SecretID });
      const before = rig.proxy.count.requests;
      const ended = await failureOf(store.watch("k")[Symbol.asyncIterator]().next());
      expect(ended.code).toBe("PERMISSION_DENIED");
      expect(rig.proxy.count.requests - before).toBe(1);
      expect(await requestsIn(rig, 1_000)).toBe(0);
    },
    { acl: { token: management } },
  ));

it("a watch that servers without a leader refuse at once asks a few times a second, and goes on with a leader", () =>
  withRig(
    async (rig) => {
      const store = await rig.open();
      await store.put("k", "before");
      const watch = store.watch("k")[Symbol.asyncIterator]();
      await watch.next();
      const others = rig.server.members.slice(1);
      await Promise.all(others.map((member) => member.kill()));
      const refused = async (): Promise<number> => (await rig.ask("GET", "/v1/kv/k?consistent")).status;
      await expect.poll(refused, { timeout: 20_000 }).toBe(500);
      const askedAt = performance.now();
      expect(await refused()).toBe(500);
      expect(performance.now() - askedAt).toBeLessThan(500);
      // The query that waits would notice later.
      rig.proxy.cut();
      await expect.poll(() => store.state, { timeout: 20_000 }).toBe("suspended");
      // The watch, and the store's own question whether it may go on; both wait longer from time to time.
      expect(await requestsIn(rig, 1_000)).toBeLessThanOrEqual(16);
      expect(await requestsIn(rig, 2_000)).toBeLessThanOrEqual(8);
      await Promise.all(others.map((member) => member.start()));
      await putUntilDone(store, "k", "after", 60_000);
      expect((await watch.next()).value?.text()).toBe("after");
      expect(await requestsIn(rig, 1_000)).toBeLessThanOrEqual(4);
    },
    // Servers hold back what they cannot answer, for 7 s by default, in the hope of a leader.
    { cluster: 3, extraConfig: { performance: { raft_multiplier: 1, rpc_hold_timeout: "1ms" } } },
  ));
