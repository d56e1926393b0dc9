/**
 * Adds 1 to a counter, many writers at a time. Arguments: the store's URL, the key, how many writers, and how often each,
 * or "Infinity" for until the next line on stdin. Prints "ready", waits for a line, so that all begin together, and then
 * each count it was given.
 */
import { once } from "node:events";
import { connect } from "../../../src/connect.js";
import { createCounter } from "../../../src/recipes/index.js";

const [url, key, writers, times] = process.argv.slice(2);
const store = await connect(url!);
const counter = createCounter(store, key!);
process.stdout.write("ready\n");
await once(process.stdin, "data");
const enough = new AbortController();
process.stdin.on("data", () => enough.abort());
await Promise.all(
  Array.from({ length: Number(writers) }, async () => {
    for (let time = 0; time < Number(times) && !enough.signal.aborted; time++) {
      process.stdout.write(`${await counter.add(1, { timeoutMs: 120_000 })}\n`);
    }
  }),
);
process.stdin.destroy();
await store.close();
