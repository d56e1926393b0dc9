import { expect, it } from "vitest";
import { endsWithEverythingInFlight, knowsAfterStop } from "../support/processes.js";
import { runChild } from "../support/run-child.js";
import { withRig } from "./support.js";

/** Where a child opens its store. */
const urlOf = (hosts: string, sessionTimeoutMs: number): string => `zk://${hosts}?sessionTimeoutMs=${sessionTimeoutMs}`;

it("a holder that was stopped for longer than its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    // The other holds only when the server has ended the stopped holder's session.
    const hold = await knowsAfterStop(urlOf(rig.server.hosts, 2_000), await rig.openDirect());
    expect(await rig.contenders("lock")).toHaveLength(1);
    await hold.unlock();
  }));

it("a holder whose process is killed makes way when its session has run out", () =>
  withRig(async (rig) => {
    const holder = runChild("hold-child.ts", urlOf(rig.server.hosts, 2_000), "2000");
    const token = BigInt(String((await holder.lines.next()).value).split(" ")[1]!);
    const waiting = (await rig.openDirect()).newLock("lock").lock();
    holder.process.kill("SIGKILL");
    const hold = await waiting;
    expect(hold.token).toBeGreaterThan(token);
    await holder.ended;
    await hold.unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("close() with everything in flight settles everything, the process ends, and so does its session", () =>
  withRig(async (rig) => {
    await endsWithEverythingInFlight(urlOf(rig.server.hosts, 40_000));
    // Its sessions would live for 40 s: they were ended, and with them every key with a ttl.
    expect(await rig.ephemerals()).toEqual(new Map());
    for (const key of ["kept", "held", "soon", "left"]) expect(await rig.held(key), key).toBeUndefined();
    expect([...(await rig.contenders("held")), ...(await rig.contenders("taken"))]).toEqual([]);
  }));
