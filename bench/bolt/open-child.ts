/** Opens a store on a file, gets one key, and prints what that took: `tsx open-child.ts FILE KEY`. */
import { connectBolt } from "kvasir/bolt";

export interface Opened {
  ms: number;
  /** By how much the process grew, in MiB. */
  mib: number;
}

const [path, key] = process.argv.slice(2);
const before = process.memoryUsage.rss();
const start = performance.now();
const store = await connectBolt({ path: path! });
const pair = await store.get(key!);
const ms = performance.now() - start;
const mib = (process.memoryUsage.rss() - before) / 2 ** 20;
if (pair === undefined) throw new Error(`${key} is not in ${path}`);
await store.close();
process.stdout.write(`${JSON.stringify({ ms, mib } satisfies Opened)}\n`);
