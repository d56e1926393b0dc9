/**
 * Takes a lock on a shared file again and again, and under it does what only one may do at a time: reads a counter from
 * a plain file, waits, and writes it back. Arguments: the bolt file, the counter's file, how often. Prints "ready", waits
 * for a line, so that all begin together, and prints token and count each time. After each turn it rests, for a shared file
 * keeps no order among processes, and one that comes back at once could have all its turns in a row.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { connectBolt } from "../../../src/bolt/index.js";

const [path, counter, times] = process.argv.slice(2);
const store = await connectBolt({ path: path!, shared: true });
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
const lock = store.newLock("lock", { ttlMs: 30_000 });
for (let time = 0; time < Number(times); time++) {
  const hold = await lock.lock();
  const before = Number(readFileSync(counter!, "utf8"));
  await sleep(5);
  if (hold.held) writeFileSync(counter!, String(before + 1));
  process.stdout.write(`${hold.token} ${before + 1}\n`);
  await hold.unlock();
  await sleep(10);
}
await store.close();
