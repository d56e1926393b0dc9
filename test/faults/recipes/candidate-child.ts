/**
 * Stands for election, and says what becomes of it: "waiting", then for each term "leads TOKEN" and "ended CODE HELD"
 * with what it reads at the end. Arguments: the store's URL, the key, the id and the ttl in milliseconds. Works as a
 * program would that looks every few milliseconds whether it still leads. To a line on stdin it resigns.
 */
import { connect } from "../../../src/connect.js";
import { createCandidate } from "../../../src/recipes/index.js";

const [url, key, id, ttlMs] = process.argv.slice(2);
const store = await connect(url!);
const candidate = createCandidate(store, key!, { id, ttlMs: Number(ttlMs) });
process.stdin.on("data", () => void candidate.resign());
process.stdout.write("waiting\n");
await candidate.run(async (term) => {
  process.stdout.write(`leads ${term.token}\n`);
  while (term.held) await new Promise((resolve) => setTimeout(resolve, 5));
  // The signal fires in the same turn of the event loop as the clock is read, or soon after.
  while (!term.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1));
  process.stdout.write(`ended ${(term.signal.reason as { code: string }).code} ${term.held}\n`);
});
