import { expect } from "vitest";
import { restOf, runChild } from "../support/run-child.js";
import { it, withRig } from "./support.js";

it("a holder that was stopped for twice its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    const ttlMs = 2_000;
    const holder = runChild("hold-child.ts", `etcd2://${rig.server.hosts}`, String(ttlMs));
    const token = BigInt(String((await holder.lines.next()).value).split(" ")[1]!);
    const stoppedAt = performance.now();
    holder.process.kill("SIGSTOP");
    const other = await rig.openDirect();
    const hold = await other.newLock("lock").lock();
    expect(hold.token > token).toBe(true);
    // Stopped for twice the ttl by the clock, whoever holds meanwhile.
    await new Promise((resolve) => setTimeout(resolve, Math.max(2 * ttlMs - (performance.now() - stoppedAt), 0)));
    holder.process.kill("SIGCONT");
    expect(await restOf(holder.lines)).toEqual(["not held", "signalled"]);
    await holder.ended;
    expect(holder.process.exitCode).toBe(0);
    // What the stopped holder gave back was nothing of the new one's.
    expect(hold.held).toBe(true);
    expect(BigInt((await rig.held("lock"))!.createdIndex)).toBe(hold.token);
    await hold.unlock();
  }));

it("close() with everything in flight settles everything, and the process ends", () =>
  withRig(async (rig) => {
    const child = runChild("close-child.ts", `etcd2://${rig.server.hosts}`);
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
    // Locks and keepAlive keys went at once; the other ttl key is left to run out.
    const names = ((await rig.held(""))!.nodes ?? []).map(({ key }) => key);
    expect(names.filter((name) => /^\/(kept|held|taken)/.test(name))).toEqual([]);
    expect(names).toContain("/left");
    await expect.poll(() => rig.watchers()).toBe(0);
  }));
