/**
 * Takes a lock and prints "held <token>", then what its first reading after a stop says, and whether the signal fired.
 * Arguments: the agent's host and port, and the lock's ttl in milliseconds.
 */
import { writeSync } from "node:fs";
import { connectConsul } from "../../../src/consul/index.js";

const [host, ttlMs] = process.argv.slice(2);
const store = await connectConsul({ endpoints: [host!] });
const hold = await store.newLock("lock", { ttlMs: Number(ttlMs) }).lock();
let signalled = false;
hold.signal.addEventListener("abort", () => {
  signalled = true;
});
writeSync(1, `held ${hold.token}\n`);

/** Reads as often as it can; the first reading after the stop is this loop's next turn. */
function read(): void {
  if (hold.held) {
    setImmediate(read);
    return;
  }
  writeSync(1, "not held\n");
  // The signal fires in this turn of the event loop or the next.
  setImmediate(() => setImmediate(() => void finish()));
}

async function finish(): Promise<void> {
  writeSync(1, signalled ? "signalled\n" : "silent\n");
  await store.close();
}

read();
