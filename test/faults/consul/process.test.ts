import { expect } from "vitest";
import { endsWithEverythingInFlight, knowsAfterStop } from "../support/processes.js";
import { it, withRig } from "./support.js";

it("a holder that was stopped for longer than its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    // The other holds only when the servers have ended the stopped holder's session.
    const hold = await knowsAfterStop(`consul://${rig.server.hosts}`, await rig.openDirect());
    expect(await rig.sessions()).toHaveLength(1);
    await hold.unlock();
  }));

it("close() with everything in flight settles everything, and the process ends", () =>
  withRig(async (rig) => {
    await endsWithEverythingInFlight(`consul://${rig.server.hosts}`);
    // Locks and keepAlive keys went at once, with their sessions; the other ttl key is left to run out.
    for (const key of ["kept", "held", "taken"]) expect(await rig.held(key), key).toBeUndefined();
    expect((await rig.held("left"))?.Session).toBeDefined();
    const names = (await rig.sessions()).map(({ Name }) => Name);
    expect(names.filter((name) => name !== "kvasir ttl")).toEqual([]);
  }));
