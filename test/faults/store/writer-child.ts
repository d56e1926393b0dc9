/** Does to a shared file what the lines on stdin say: `put KEY VALUE`, `delete KEY`. Answers "done" to each. */
import { createInterface } from "node:readline";
import { connectBolt } from "../../../src/bolt/index.js";

const store = await connectBolt({ path: process.argv[2]!, shared: true });
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [what, key, value] = line.split(" ");
  if (what === "put") await store.put(key!, value!);
  else await store.delete(key!);
  process.stdout.write("done\n");
}
await store.close();
