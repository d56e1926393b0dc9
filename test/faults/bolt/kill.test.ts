import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { open } from "../../../src/bolt/engine/index.js";
import { checkEngine, dumpEngine } from "../../interop/support/engine.js";
import { temporaryFolder } from "../../interop/support/folder.js";
import { goCheck } from "../../interop/support/go.js";
import { Model } from "../../interop/support/model.js";
import { Random, testSeed } from "../../interop/support/random.js";
import { killHistory } from "./kill-history.js";

const file = temporaryFolder();
const child = fileURLToPath(new URL("./kill-child.ts", import.meta.url));
const kills = Number(process.env["KVASIR_KILLS"] ?? 100);
const seed = testSeed();

/** Starts a writer and kills it after `acknowledgements`; gives back how many it had made known by its end. */
async function writeAndKill(path: string, run: number, inflight: number, acknowledgements: number): Promise<number> {
  const args = ["--import", "tsx", child, path, String(run), String(inflight)];
  const writer = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(writer, "close");
  let acknowledged = 0;
  let lines = 0;
  for await (const line of createInterface({ input: writer.stdout })) {
    if (line !== "open") acknowledged = Math.max(acknowledged, Number(line));
    if (lines++ === acknowledgements) writer.kill("SIGKILL");
  }
  await closed;
  expect(writer.signalCode).toBe("SIGKILL");
  return acknowledged;
}

it(`a writer killed ${kills} times loses nothing acknowledged, seed ${seed}`, { timeout: 4000 * kills }, async () => {
  const random = new Random(seed);
  const path = file("killed.db");
  let state = new Model();
  let ahead = 0;
  for (let run = 1; run <= kills; run++) {
    const inflight = random.pick([1, 1, 4]);
    const acknowledged = await writeAndKill(path, seed + run, inflight, random.below(25));
    const db = await open(path);
    expect(await checkEngine(db), `run ${run}`).toEqual([]);
    const found = dumpEngine(db);
    await db.close();

    const history = killHistory(seed + run);
    for (const transaction of history.slice(0, acknowledged)) state.apply(transaction);
    let more = 0;
    while (state.dump() !== found && more < inflight) state.apply(history[acknowledged + more++]!);
    expect(state.dump() === found, `run ${run}: not a state from ${acknowledged} on, ${inflight} in flight`).toBe(true);
    if (more > 0) ahead++;
    state = Model.fromDump(found);
  }
  expect(await goCheck(path)).toMatchObject({ errors: [], ok: true });
  // Some kills must have come between a commit and its acknowledgement, or none fell into a commit at all.
  expect(ahead).toBeGreaterThan(0);
});
