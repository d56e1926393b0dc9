// A tour of the API on an embedded store: no server, a real file in a temporary folder. Run it with `npm run demo`.
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { connect, isStoreError } from "kvasir";
import { createCandidate, createDiscovery, createMirror } from "kvasir/recipes";

const folder = await mkdtemp(path.join(os.tmpdir(), "kvasir-demo-"));
const say = (line: string): void => console.log(line);

say('const store = await connect("bolt:app.db")          // or "memory:"');
const store = await connect(`bolt:${path.join(folder, "app.db")}`);
try {
  say("\n-- put and get");
  const put = await store.put("config/db/host", "10.0.0.7");
  say(`put    config/db/host = ${put.text()}, revision ${put.revision}`);
  const pair = await store.get("config/db/host");
  say(`get    config/db/host = ${pair?.text()}`);
  say(`get    config/nothing = ${(await store.get("config/nothing"))?.text() ?? "nothing"}`);

  say("\n-- list: everything below a directory, sorted");
  await store.put("config/db/port", "5432");
  await store.put("config/cache", JSON.stringify({ size: 64 }));
  for (const each of await store.list("config")) say(`list   ${each.key} = ${each.text()}`);
  say(`keys   one level: ${(await store.keys("config", { depth: 1 })).join("  ")}`);

  say("\n-- watch: the current state first, then each change");
  const watched = (async () => {
    for await (const now of store.watch("config/db/host")) {
      say(`watch  config/db/host is ${now?.text() ?? "gone"}`);
      if (now === undefined) return;
    }
  })();
  await store.put("config/db/host", "10.0.0.8");
  await store.delete("config/db/host");
  await watched;

  say("\n-- compare and set: only if nobody was faster");
  const seen = await store.get("config/db/port");
  await store.put("config/db/port", "5433");
  try {
    await store.atomicPut("config/db/port", "5434", seen);
  } catch (error) {
    if (!isStoreError(error, "KEY_MODIFIED")) throw error;
    say(`cas    ${error.message}`);
  }
  const counted = await store.update("visits", (current) => String(Number(current?.text() ?? 0) + 1));
  say(`update visits = ${counted?.text()}, read and written again until it fits`);

  say("\n-- a key with a ttl goes by itself");
  await store.put("session/42", "anna", { ttlMs: 200 });
  for await (const now of store.watch("session/42")) {
    say(`ttl    session/42 is ${now?.text() ?? "gone"}`);
    if (now === undefined) break;
  }

  say("\n-- a lock: one holder at a time, told when it is lost");
  const lock = store.newLock("jobs/nightly", { value: "me", ttlMs: 5_000 });
  const hold = await lock.lock();
  say(
    `lock   held: ${hold.held}, fencing token ${hold.token}, jobs/nightly = ${(await store.get("jobs/nightly"))?.text()}`,
  );
  const other = await store.newLock("jobs/nightly").tryLock();
  say(`lock   a second one gets ${other === undefined ? "nothing" : "it too"}`);
  await hold.unlock();
  say(`lock   given back; jobs/nightly = ${(await store.get("jobs/nightly"))?.text() ?? "gone"}`);

  say("\n-- election: one leads, another when it stops");
  const [alice, bob] = ["alice", "bob"].map((id) => createCandidate(store, "jobs/leader", { id, ttlMs: 5_000 }));
  const terms = [alice!, bob!].map((candidate) =>
    candidate.run(async (term) => {
      say(`elect  ${await candidate.leader()} leads with token ${term.token}, and gives up`);
      void candidate.stop();
    }),
  );
  await Promise.all(terms);
  say(`elect  now leads ${(await alice!.leader()) ?? "nobody"}`);

  say("\n-- discovery: who is there, kept up to date, without those whose check fails");
  const discovery = createDiscovery(store);
  let healthy = true;
  const check = { type: "function" as const, run: () => healthy, intervalMs: 20 };
  const web = { service: "web", port: 8080, ttlMs: 5_000 };
  await discovery.register({ ...web, id: "web-1", address: "10.0.0.7" });
  await discovery.register({ ...web, id: "web-2", address: "10.0.0.8", check });
  for (let request = 1; request <= 3; request++) {
    say(`pick   request ${request} goes to ${(await discovery.pick("web", "round-robin"))?.id}`);
  }
  for await (const { instances, left } of discovery.watch("web")) {
    say(`watch  there: ${instances.map(({ id }) => id).join(" ")}${left.length > 0 ? ", left: web-2" : ""}`);
    if (left.length > 0) break;
    healthy = false;
  }
  await discovery.close();

  say("\n-- a mirror: configuration in memory, as new as the store");
  const mirror = createMirror(store, "config");
  await mirror.ready;
  say(`mirror ${mirror.size} keys, config/db/port = ${mirror.get("config/db/port")}, read without waiting`);
  const changed = new Promise((resolve) => mirror.onChange(resolve));
  await store.put("config/db/port", "5435");
  await changed;
  say(`mirror config/db/port = ${mirror.get("config/db/port")}`);
  mirror.close();
} finally {
  await store.close();
  await rm(folder, { recursive: true });
}
