import { expect, it } from "vitest";
import { keepsWritesThroughKills, seesEmptiedServer } from "../support/load.js";
import { withRig } from "./support.js";

it("a server killed and started again under load keeps every acknowledged write", () =>
  withRig(async (rig) => {
    const { member } = rig.server;
    await keepsWritesThroughKills(await rig.openDirect({ sessionTimeoutMs: 20_000 }), {
      times: 3,
      killAndStart: () => member.kill().then(() => member.start()),
      held: (key) => rig.held(key),
      putTimeoutMs: 20_000,
    });
  }));

it("watches of a server that comes back empty are told, and go on with lower revisions", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect({ sessionTimeoutMs: 1_500 });
    await seesEmptiedServer(store, () => rig.server.restart({ emptyData: true }));
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
