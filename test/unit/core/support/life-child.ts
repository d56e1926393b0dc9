/**
 * A program that waits for one thing and then ends by itself, without `process.exit()`. Prints "waiting" when it waits;
 * SIGUSR2 ends the wait; prints "left" and, when its store is closed, what still holds the process.
 */
import { connect } from "../../../../src/connect.js";

const [mode, target] = process.argv.slice(2);
const store = await connect(target!);
const holder = await connect(target!);

/** Signals do not keep a process open. */
function onSignal(act: () => void): void {
  process.once("SIGUSR2", act);
  console.log("waiting");
}

if (mode === "watch") {
  let seen = 0;
  for await (const _ of store.watch("a")) {
    if (seen++ > 0) break;
    onSignal(() => void holder.put("a", "1"));
  }
} else if (mode === "lock") {
  const hold = await holder.newLock("a", { ttlMs: 60_000 }).lock();
  onSignal(() => void hold.unlock());
  const mine = await store.newLock("a", { ttlMs: 60_000 }).lock();
  await mine.unlock();
} else {
  await store.put("kept", "1", { ttlMs: 60_000, keepAlive: true });
  await store.put("left", "1", { ttlMs: 60_000 });
  await store.newLock("held", { ttlMs: 60_000 }).lock();
  const waiting = holder.newLock("held", { ttlMs: 60_000 }).lock({ signal: AbortSignal.timeout(1) });
  waiting.catch(() => {});
  const another = store.newLock("held", { ttlMs: 60_000 }).lock();
  another.catch(() => {});
  const watch = store.watchTree("")[Symbol.asyncIterator]();
  await watch.next();
  const next = watch.next();
  console.log("waiting");
  setTimeout(() => void store.close(), 10);
  console.log((await next).done === true ? "ended" : "an item");
}
console.log("left");
await store.close();
await holder.close();
// The request whose answer this is counts until its callback is over.
await new Promise((resolve) => setImmediate(resolve));
const resources = process.getActiveResourcesInfo().filter((each) => !["PipeWrap", "TTYWrap"].includes(each));
console.log(JSON.stringify(resources));
