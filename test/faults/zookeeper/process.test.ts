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

it("a holder that was stopped for longer than its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    const { child, ended, lines } = run("hold-child.ts", rig.server.hosts, "2000");
    const token = BigInt(String((await lines.next()).value).split(" ")[1]!);
    child.kill("SIGSTOP");
    const other = await rig.openDirect();
    // Only when the server has ended the stopped holder's session.
    const hold = await other.newLock("lock").lock();
    expect(hold.token).toBeGreaterThan(token);
    child.kill("SIGCONT");
    expect(await rest(lines)).toEqual(["not held", "signalled"]);
    await ended;
    expect(child.exitCode).toBe(0);
    // What the stopped holder gave back was nothing of the new one's.
    expect(hold.held).toBe(true);
    expect(await rig.contenders("lock")).toHaveLength(1);
    await hold.unlock();
  }));

it("a holder whose process is killed makes way when its session has run out", () =>
  withRig(async (rig) => {
    const { child, ended, lines } = run("hold-child.ts", rig.server.hosts, "2000");
    const token = BigInt(String((await lines.next()).value).split(" ")[1]!);
    const waiting = (await rig.openDirect()).newLock("lock").lock();
    child.kill("SIGKILL");
    const hold = await waiting;
    expect(hold.token).toBeGreaterThan(token);
    await ended;
    await hold.unlock();
    expect(await rig.contenders("lock")).toEqual([]);
  }));

it("close() with everything in flight settles everything, the process ends, and so does its session", () =>
  withRig(async (rig) => {
    const { child, ended, lines } = run("close-child.ts", rig.server.hosts);
    const watchdog = setTimeout(() => child.kill("SIGKILL"), 30_000);
    const printed = await rest(lines);
    const printedAt = performance.now();
    await ended;
    clearTimeout(watchdog);
    expect([child.exitCode, child.signalCode]).toEqual([0, null]);
    expect(performance.now() - printedAt).toBeLessThan(3_000);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toMatch(/^closed (ABORTED |CLOSED |done )*/);
    expect(printed[0]).toContain("CLOSED");
    // Its sessions would live for 40 s: they were ended.
    expect(await rig.ephemerals()).toEqual(new Map());
    expect([await rig.held("kept"), await rig.held("held"), await rig.held("soon")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([...(await rig.contenders("held")), ...(await rig.contenders("taken"))]).toEqual([]);
  }));
