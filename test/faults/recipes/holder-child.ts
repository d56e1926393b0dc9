/**
 * Takes what its arguments say and holds it: the store's URL, "read", "write", "slot" or "barrier", the key, and the ttl
 * in milliseconds. Prints "held TOKEN", and "lost" the moment its signal fires.
 */
import { connect } from "../../../src/connect.js";
import { createBarrier, createRWLock, createSemaphore } from "../../../src/recipes/index.js";

const [url, what, key, ttl] = process.argv.slice(2);
const store = await connect(url!);
const options = { ttlMs: Number(ttl) };
const takes: Record<string, () => Promise<{ signal: AbortSignal; token?: bigint }>> = {
  read: () => createRWLock(store, key!, options).read.lock(),
  write: () => createRWLock(store, key!, options).write.lock(),
  slot: () => createSemaphore(store, key!, 1, options).acquire(),
  barrier: () => createBarrier(store, key!, 2, options).enter(),
};
const hold = await takes[what!]!();
hold.signal.addEventListener("abort", () => process.stdout.write("lost\n"));
process.stdout.write(`held ${hold.token ?? ""}\n`);
// Whoever works is not at its end.
setInterval(() => undefined, 1_000);
