/**
 * Writes a random history to a file until it is killed. Prints "open", then the
 * number of each transaction as it is acknowledged.
 * Arguments: the file, the seed, how many transactions to keep under way.
 */
import { open } from "../../../src/bolt/engine/index.js";
import { runOperations } from "../../interop/support/engine.js";
import { killHistory } from "./kill-history.js";

const [path, seed, inflight] = process.argv.slice(2);
const db = await open(path!, { pageSize: 1024 });
process.stdout.write("open\n");

const history = killHistory(Number(seed));
let begun = 0;

async function caller(): Promise<void> {
  while (begun < history.length) {
    const number = ++begun;
    // One at a time is a commit each; several at once share commits.
    await db[inflight === "1" ? "update" : "batch"]((tx) => runOperations(tx, history[number - 1]!.ops));
    process.stdout.write(`${number}\n`);
  }
}

await Promise.all(Array.from({ length: Number(inflight) }, caller));
await db.close();
