import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { connect } from "kvasir";
import { createCandidate } from "kvasir/recipes";
import type { Measure } from "../harness/row.js";
import { median } from "../harness/side.js";
import type { BenchBackend } from "./backends.js";

const ttlMs = 2_000;
const key = "bench/leader";
const times = 5;

/** From the kill -9 of the leader's process to the first line of the next leader's function; the median of five. */
export function failover({ name, url, manyProcesses }: BenchBackend): Measure[] {
  if (!manyProcesses) return [];
  return [
    {
      name: `failover on ${name}, ttl ${ttlMs} ms`,
      unit: "ms",
      limit: { peerName: "docs/election.md", measure: () => promised(url) },
      ours: async () => {
        const all: number[] = [];
        for (let time = 0; time < times; time++) all.push(await failOver(url));
        return median(all);
      },
    },
  ];
}

/** The ttl that takes effect, on Consul twice, and a second for servers that look for dead ones seldom. */
async function promised(url: string): Promise<number> {
  const store = await connect(url);
  const { minimumMs, lateByFactor } = store.capabilities.ttl;
  await store.close();
  return Math.max(ttlMs, minimumMs) * lateByFactor + 1_000;
}

async function failOver(url: string): Promise<number> {
  const leader = await startLeader(url);
  const store = await connect(url);
  const candidate = createCandidate(store, key, { id: "here", ttlMs });
  let ledAt = 0;
  const over = candidate.run(() => {
    ledAt = performance.now();
    void candidate.stop();
  });
  // Stands in line when the leader dies, which it does at any time between two renewals.
  await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * ttlMs));
  const killedAt = performance.now();
  leader.kill("SIGKILL");
  await over;
  await store.close();
  return ledAt - killedAt;
}

async function startLeader(url: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL("./leader-child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", program, url, key, String(ttlMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}
