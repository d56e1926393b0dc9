import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { withRig } from "./support.js";

/** Runs a program of this folder; gives its process, and its lines as they come. */
function run(name: string, ...args: string[]) {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  return { child, ended, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function rest(lines: AsyncIterator<string>): Promise<string[]> {
  const all: string[] = [];
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) all.push(line.value);
  return all;
}

it("a holder that was stopped for twice its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    const ttlMs = 2_000;
    const { child, ended, lines } = run("hold-child.ts", rig.server.endpoint, String(ttlMs));
    const token = BigInt((await lines.next()).value.split(" ")[1]);
    const stoppedAt = performance.now();
    child.kill("SIGSTOP");
    const other = await rig.openDirect();
    const hold = await other.newLock("lock").lock();
    expect(hold.token > token).toBe(true);
    // Stopped for twice the ttl by the clock, whoever holds meanwhile.
    await new Promise((resolve) => setTimeout(resolve, Math.max(2 * ttlMs - (performance.now() - stoppedAt), 0)));
    child.kill("SIGCONT");
    expect(await rest(lines)).toEqual(["not held", "signalled"]);
    await ended;
    expect(child.exitCode).toBe(0);
    // What the stopped holder gave back was nothing of the new one's.
    expect(hold.held).toBe(true);
    expect(BigInt((await rig.held("lock"))!.createdIndex)).toBe(hold.token);
    await hold.unlock();
  }));

it("close() with everything in flight settles everything, and the process ends", () =>
  withRig(async (rig) => {
    const { child, ended, lines } = run("close-child.ts", rig.server.endpoint);
    const watchdog = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const printed = await rest(lines);
    const printedAt = performance.now();
    await ended;
    clearTimeout(watchdog);
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
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
