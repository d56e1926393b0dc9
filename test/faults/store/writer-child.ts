/** Does to a shared file what the lines on stdin say: `put KEY VALUE`, `delete KEY`. Answers "done" to each. */
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { connectBolt } from "../../../src/bolt/index.js";

const store = await connectBolt({ path: process.argv[2]!, shared: true });
writeSync(1, "ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [what, key, value] = line.split(" ");
  if (what === "put") await store.put(key!, value!);
  else await store.delete(key!);
  writeSync(1, "done\n");
}
await store.close();
