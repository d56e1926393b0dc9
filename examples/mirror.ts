// Configuration in memory, as new as the store: reads cost no round trip. Runs on a file of its own, or on the store that
// KVASIR_URL names: npx tsx examples/mirror.ts
import { connect } from "kvasir";
import { createMirror } from "kvasir/recipes";

const store = await connect(process.env["KVASIR_URL"] ?? "bolt:./mirror.db");
try {
  await store.put("config/db/host", "10.0.0.7");
  await store.put("config/db/port", "5432");
  await store.delete("config/level");

  const config = createMirror(store, "config");
  await config.ready;
  console.log(config.get("config/db/host"), config.get("config/level"), config.size); // prints 10.0.0.7 undefined 2
  for (const { key, value } of config.list("config/db")) console.log(`${key} = ${value}`);
  // prints config/db/host = 10.0.0.7
  // prints config/db/port = 5432

  const changed = new Promise<void>((resolve) => {
    config.onChange((changes) => {
      for (const change of changes) console.log(`${change.type} ${change.key}`);
      resolve();
    });
  });
  await store.put("config/level", "debug");
  await changed;
  // prints put config/level
  console.log(config.get("config/level")); // prints debug

  // While the store cannot be reached, the last state stays, and says that it may be old.
  config.onStateChange(({ state }) => console.log(`the mirror is ${state}`));
  console.log(config.state, config.stale); // prints current false
  config.close();
  // prints the mirror is closed
} finally {
  await store.close();
}
