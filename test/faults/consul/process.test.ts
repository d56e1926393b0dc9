import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { withRig } from "./support.js";

it("a holder that was stopped for longer than its ttl knows at its first reading, and the token has grown", () =>
  withRig(async (rig) => {
    const file = fileURLToPath(new URL("hold-child.ts", import.meta.url));
    const args = ["--import", "tsx", file, rig.server.hosts, "2000"];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "close");
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const token = BigInt(String((await lines.next()).value).split(" ")[1]!);
    child.kill("SIGSTOP");
    const other = await rig.openDirect();
    // Only when the servers have ended the stopped holder's session.
    const hold = await other.newLock("lock").lock();
    expect(hold.token).toBeGreaterThan(token);
    child.kill("SIGCONT");
    expect([(await lines.next()).value, (await lines.next()).value]).toEqual(["not held", "signalled"]);
    await ended;
    expect(child.exitCode).toBe(0);
    // What the stopped holder gave back was nothing of the new one's.
    expect(hold.held).toBe(true);
    expect(await rig.sessions()).toHaveLength(1);
    await hold.unlock();
  }));
