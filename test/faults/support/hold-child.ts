/**
 * Takes a lock and prints "held <token>", then what its first reading after a stop says, and whether the signal fired.
 * Arguments: the store's URL, and the lock's ttl in milliseconds.
 */
import { connect } from "../../../src/connect.js";

const [url, ttlMs] = process.argv.slice(2);
const store = await connect(url!);
const hold = await store.newLock("lock", { ttlMs: Number(ttlMs) }).lock();
let signalled = false;
hold.signal.addEventListener("abort", () => {
  signalled = true;
});
process.stdout.write(`held ${hold.token}\n`);

/** Reads as often as it can; the first reading after the stop is this loop's next turn. */
function read(): void {
  if (hold.held) {
    setImmediate(read);
    return;
  }
  process.stdout.write("not held\n");
  // The signal fires in this turn of the event loop or the next.
  setImmediate(() => setImmediate(() => void finish()));
}

async function finish(): Promise<void> {
  process.stdout.write(signalled ? "signalled\n" : "silent\n");
  await store.close();
}

let before = performance.now();
const timer = setInterval(() => {
  // A reading that says "held" after a stop of longer than the ttl would be a lie.
  const now = performance.now();
  if (now - before > Number(ttlMs) && hold.held) process.stdout.write("held after the stop\n");
  before = now;
  if (!hold.held) clearInterval(timer);
}, 5);
read();
