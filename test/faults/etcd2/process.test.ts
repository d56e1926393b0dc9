import { expect } from "vitest";
import { endsWithEverythingInFlight, knowsAfterStop } from "../support/processes.js";
import { it, withRig } from "./support.js";

it("a holder that was stopped for twice its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    const hold = await knowsAfterStop(`etcd2://${rig.server.hosts}`, await rig.openDirect());
    expect(BigInt((await rig.held("lock"))!.createdIndex)).toBe(hold.token);
    await hold.unlock();
  }));

it("close() with everything in flight settles everything, and the process ends", () =>
  withRig(async (rig) => {
    await endsWithEverythingInFlight(`etcd2://${rig.server.hosts}`);
    // Locks and keepAlive keys went at once; the other ttl key is left to run out.
    const names = ((await rig.held(""))!.nodes ?? []).map(({ key }) => key);
    expect(names.filter((name) => /^\/(kept|held|taken)/.test(name))).toEqual([]);
    expect(names).toContain("/left");
    await expect.poll(() => rig.watchers()).toBe(0);
  }));
