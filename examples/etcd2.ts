// Moving a directory from etcd's v2 API to v3 while other programs, such as those that use Go's libkv, still write to it.
// Needs a server that serves both, such as etcd 3.4 with --enable-v2:
// KVASIR_URL=etcd2://localhost:2379 npx tsx examples/etcd2.ts
import { connect, isStoreError } from "kvasir";

const url = process.env["KVASIR_URL"] ?? "etcd2://localhost:2379";
const old = await connect(url);
const next = await connect(url.replace("etcd2", "etcd"));
try {
  await old.put("app/level", "info");
  await old.put("app/db/host", "10.0.0.7");

  // libkv's locks and ours exclude each other, so only one such program runs, in whatever language the others are.
  const hold = await old.newLock("app-move", { ttlMs: 15_000 }).lock({ timeoutMs: 30_000 });
  try {
    const stop = new AbortController();
    hold.signal.addEventListener("abort", () => stop.abort(hold.signal.reason));
    // The first item is all that is there; the later ones are what the others change meanwhile.
    for await (const { changes, pairs } of old.watchTree("app", { signal: stop.signal })) {
      for (const change of changes) {
        console.log(`${change.type} ${change.key}`);
        if (change.type === "put") await next.put(change.key, change.pair.value);
        else await next.delete(change.key);
      }
      // A real one would go on until the last writer has moved; this one plays that writer.
      if (pairs.some(({ key }) => key === "app/moved")) break;
      if (changes.some(({ key }) => key === "app/level")) await old.delete("app/db/host");
      else await old.put("app/moved", new Date().toISOString());
    }
  } finally {
    await hold.unlock();
  }
  console.log(`v3 has ${(await next.keys("app")).join(", ")}`);

  // What the v2 API cannot: a key that has keys below it.
  await next.put("app/db", "postgres");
  await next.put("app/db/host", "10.0.0.8");
  await old.put("app/db/host", "10.0.0.8");
  await old.put("app/db", "postgres").catch((error: unknown) => {
    if (!isStoreError(error, "NOT_SUPPORTED")) throw error;
    console.log(error.message);
  });
  console.log(`deleted ${await old.deleteTree("app")} and ${await next.deleteTree("app")} keys`);
} finally {
  await Promise.all([old.close(), next.close()]);
}
