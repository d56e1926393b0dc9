import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Measure } from "../harness/row.js";
import type { Watched } from "./watches-child.js";

const child = fileURLToPath(new URL("watches-child.ts", import.meta.url));

/** 10,000 watches of single keys: what they keep in memory, and how fast events reach them; a process for each side. */
export function manyWatches(host: string): Measure[] {
  const taken = new Map<string, Promise<Watched>>();
  const watched = (client: string): Promise<Watched> => {
    const before = taken.get(client);
    if (before !== undefined) return before;
    const now = watchIn(host, client);
    taken.set(client, now);
    return now;
  };
  const measure = (name: string, unit: string, of: (it: Watched) => number): Measure => ({
    name,
    unit,
    ours: async () => of(await watched("kvasir")),
    limit: { peerName: "etcd3", measure: async () => of(await watched("etcd3")) },
  });
  return [
    measure("watchMemory", "KiB of heap for each of 10,000 watches", ({ kibEach }) => kibEach),
    measure(
      "watchEvent",
      "us from put to delivery for each of 10,000 keys",
      ({ microsecondsEach }) => microsecondsEach,
    ),
  ];
}

async function watchIn(host: string, client: string): Promise<Watched> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--expose-gc",
    "--import",
    "tsx",
    child,
    host,
    client,
  ]);
  return JSON.parse(stdout) as Watched;
}
