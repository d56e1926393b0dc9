// Configuration, a service that registers itself, and one worker at a time, on ZooKeeper. Needs a server:
// KVASIR_URL=zk://localhost:2181/example npx tsx examples/zookeeper.ts
import { connect, isStoreError } from "kvasir";

const store = await connect(process.env["KVASIR_URL"] ?? "zk://localhost:2181/example");
try {
  // Configuration: whoever watches gets the present state first, then every change.
  const seen = (async () => {
    for await (const now of store.watch("config/level")) {
      console.log(`level is ${now?.text() ?? "not set"}`);
      if (now?.text() === "debug") return;
    }
  })();
  await store.put("config/level", "info");
  await store.put("config/level", "debug");
  await seen;

  // A service: its key is renewed while this process lives, and goes with it.
  await store.put(`services/web/${process.pid}`, "10.0.0.7:8080", { ttlMs: 10_000, keepAlive: true });
  console.log(`services: ${(await store.keys("services/web")).length}`);

  // A change that must not overwrite another's.
  const read = await store.get("config/level");
  await store.put("config/level", "warn");
  try {
    await store.atomicPut("config/level", "error", read);
  } catch (error) {
    if (!isStoreError(error, "KEY_MODIFIED")) throw error;
    console.log("somebody changed the level since it was read");
  }

  // One worker at a time, in this process or any other.
  const hold = await store.newLock("jobs/nightly", { ttlMs: 10_000 }).lock({ timeoutMs: 30_000 });
  try {
    // Hand the token to whatever the job writes to, and stop when the signal fires.
    console.log(`working with token ${hold.token}, held: ${hold.held}`);
  } finally {
    await hold.unlock();
  }
  console.log(`deleted ${await store.deleteTree("config")} keys`);
} finally {
  await store.close();
}
