/** Starts everything a store can have in flight, closes it, and must then end by itself. Argument: its URL. */
import { connect } from "../../../src/connect.js";

const store = await connect(process.argv[2]!);
const blocker = await connect(process.argv[2]!);
await blocker.newLock("taken").lock();
await store.put("kept", "1", { ttlMs: 5_000, keepAlive: true });
await store.put("left", "1", { ttlMs: 60_000 });
await store.newLock("held").lock();
const ends: Promise<unknown>[] = [
  ...Array.from({ length: 200 }, (_, at) => store.put(`k${at}`, "1")),
  ...Array.from({ length: 200 }, (_, at) => store.get(`k${at}`)),
  store.list(""),
  store.deleteTree("d"),
  store.newLock("taken").lock(),
  store.put("soon", "1", { ttlMs: 5_000 }),
  consume(store.watch("k1")),
  consume(store.watchTree("")),
  consume(store.scan("")),
];
async function consume(items: AsyncIterable<unknown>): Promise<void> {
  for await (const item of items) void item;
}
const settled = Promise.allSettled(ends);
await new Promise((resolve) => setImmediate(resolve));
await store.close();
const codes = new Set((await settled).map((end) => (end.status === "rejected" ? end.reason.code : "done")));
await blocker.close();
console.log(`closed ${[...codes].join(" ")}`);
