/** Leads until it is killed. Arguments: the store's URL, the key, the ttl in milliseconds. Prints "leads". */
import { connect } from "kvasir";
import { createCandidate } from "kvasir/recipes";

const [url, key, ttlMs] = process.argv.slice(2);
const store = await connect(url!);
await createCandidate(store, key!, { id: "child", ttlMs: Number(ttlMs) }).run(async (term) => {
  process.stdout.write("leads\n");
  await new Promise<void>((resolve) => term.signal.addEventListener("abort", () => resolve(), { once: true }));
});
