import { expect } from "vitest";
import type { StateChange } from "../../../src/core/store.js";
import { it, withRig } from "./support.js";

it("a keepAlive key whose lease is lost is put again, and both is told", () =>
  withRig(async (rig) => {
    const store = await rig.openDirect();
    await store.put("service", "here", { ttlMs: 3_000, keepAlive: true });
    const changes: StateChange[] = [];
    store.onStateChange((change) => changes.push(change));
    const lease = (await rig.held("service"))!.lease;
    await rig.direct.leases.revoke(lease);
    expect(await rig.held("service")).toBeUndefined();
    await expect
      .poll(() => changes.flatMap(({ restoredKeys }) => restoredKeys), { timeout: 10_000 })
      .toEqual(["service"]);
    expect(changes.flatMap(({ lostKeys }) => lostKeys)).toEqual(["service"]);
    const now = await rig.held("service");
    expect(now!.lease).not.toBe(lease);
    expect(now!.lease).not.toBe(0n);
  }));

it("a keepAlive key that outlived an outage longer than its ttl is there again, unless another took the key", () =>
  withRig(async (rig) => {
    const store = await rig.open();
    const other = await rig.openDirect();
    await store.put("mine", "1", { ttlMs: 2_000, keepAlive: true });
    await store.put("taken", "1", { ttlMs: 2_000, keepAlive: true });
    rig.proxy.refuse();
    rig.proxy.cut();
    await expect.poll(() => rig.names("").then((names) => names.length), { timeout: 10_000 }).toBe(0);
    await other.put("taken", "by another");
    await rig.proxy.accept();
    await expect.poll(async () => (await other.get("mine"))?.text(), { timeout: 10_000 }).toBe("1");
    expect((await other.get("taken"))?.text()).toBe("by another");
  }));
