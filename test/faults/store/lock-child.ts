/**
 * Takes a lock on a shared file and says so. Arguments: the file, the ttl in milliseconds, and "busy" for a program that
 * is stopped in the middle of its work. Prints "held TOKEN" when it has the lock; from then on, the moment its signal
 * fires, "lost". To each line on stdin it answers whether it still holds the lock.
 */
import { readSync } from "node:fs";
import { connectBolt } from "../../../src/bolt/index.js";

const [path, ttlMs, busy] = process.argv.slice(2);
const store = await connectBolt({ path: path!, shared: true });
const hold = await store.newLock("lock", { value: String(process.pid), ttlMs: Number(ttlMs) }).lock();
hold.signal.addEventListener("abort", () =>
  process.stdout.write(`lost ${(hold.signal.reason as { code: string }).code}\n`),
);
process.stdout.write(`held ${hold.token}\n`);

// In the middle of its work no timer and no promise runs: the answer is the first thing after the pause.
if (busy === "busy" && readSync(0, Buffer.alloc(100)) > 0) process.stdout.write(`${hold.held}\n`);
process.stdin.on("data", () => process.stdout.write(`${hold.held}\n`));
