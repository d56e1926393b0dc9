import { expect } from "vitest";
import { restOf, runChild } from "../support/run-child.js";
import { it, withRig } from "./support.js";

it("a holder that was stopped for longer than its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    const holder = runChild("hold-child.ts", `consul://${rig.server.hosts}`, "2000");
    const token = BigInt(String((await holder.lines.next()).value).split(" ")[1]!);
    holder.process.kill("SIGSTOP");
    const other = await rig.openDirect();
    // Only when the servers have ended the stopped holder's session.
    const hold = await other.newLock("lock").lock();
    expect(hold.token).toBeGreaterThan(token);
    holder.process.kill("SIGCONT");
    expect(await restOf(holder.lines)).toEqual(["not held", "signalled"]);
    await holder.ended;
    expect(holder.process.exitCode).toBe(0);
    // What the stopped holder gave back was nothing of the new one's.
    expect(hold.held).toBe(true);
    expect(await rig.sessions()).toHaveLength(1);
    await hold.unlock();
  }));

it("close() with everything in flight settles everything, and the process ends", () =>
  withRig(async (rig) => {
    const child = runChild("close-child.ts", `consul://${rig.server.hosts}`);
    const watchdog = setTimeout(() => child.process.kill("SIGKILL"), 20_000);
    const printed = await restOf(child.lines);
    const printedAt = performance.now();
    await child.ended;
    clearTimeout(watchdog);
    expect([child.process.exitCode, child.process.signalCode]).toEqual([0, null]);
    expect(performance.now() - printedAt).toBeLessThan(3_000);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^closed (ABORTED |CLOSED |done )*/);
    expect(printed[0]).toContain("CLOSED");
    // Locks and keepAlive keys went at once, with their sessions; the other ttl key is left to run out.
    for (const key of ["kept", "held", "taken"]) expect(await rig.held(key), key).toBeUndefined();
    expect((await rig.held("left"))?.Session).toBeDefined();
    const names = (await rig.sessions()).map(({ Name }) => Name);
    expect(names.filter((name) => name !== "kvasir ttl")).toEqual([]);
  }));
