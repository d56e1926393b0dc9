/**
 * Uses a store for long and tells what is left of it. Arguments: the store's URL, how many watches, calls and locks.
 * Prints a line of JSON: the heap before and after each part, in bytes and after collecting garbage; the listeners on
 * a signal that lives as long as the program; what keeps the process open when the store is closed.
 */
import { getEventListeners } from "node:events";
import { connect } from "../../../src/connect.js";
import type { Store } from "../../../src/core/store.js";

const [target, watches, calls, locks] = process.argv.slice(2);
const { signal } = new AbortController();
const together = 1_000;

async function inGroups(count: number, run: (number: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += together) {
    await Promise.all(Array.from({ length: together }, (_, at) => run(done + at)));
  }
}

async function openAndLeave(store: Store, number: number): Promise<void> {
  const key = `k${number % 50}`;
  const watch = number % 2 === 0 ? store.watch(key, { signal }) : store.watchTree("", { signal });
  const iterator = (watch as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  await iterator.next();
  // Every tenth is left while it waits for its next item.
  const pending = number % 10 === 0 ? iterator.next() : undefined;
  await iterator.return!();
  await pending;
}

function call(store: Store, number: number): Promise<unknown> {
  const key = `k${number % 50}`;
  switch (number % 20) {
    case 0:
    case 1:
    case 2:
      return store.put(key, "value", { signal });
    case 3:
      return store.list("", { signal, limit: 1 });
    case 4:
      return store.atomicPut(key, "value", { revision: 0n }, { signal }).catch(() => {});
    case 5:
      return store.exists(key, { signal });
    default:
      return store.get(key, { signal, timeoutMs: 60_000 });
  }
}

async function lockAndLeave(store: Store, number: number): Promise<void> {
  await using hold = await store.newLock(`lock${number}`, { ttlMs: 60_000 }).lock({ signal });
  await store.put(`kept${number}`, "1", { ttlMs: 60_000, keepAlive: true });
  await store.delete(`kept${number}`);
  if (!hold.held) throw new Error("the lock was lost");
}

async function heap(): Promise<number> {
  for (let round = 0; round < 5; round++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    globalThis.gc!();
  }
  return process.memoryUsage().heapUsed;
}

const store = await connect(target!, { timeoutMs: 60_000 });
for (let key = 0; key < 50; key++) await store.put(`k${key}`, "value");
// Caches fill and code is compiled once: that is no leak.
await inGroups(20_000, (number) => call(store, number));
await inGroups(4_000, (number) => openAndLeave(store, number));
await inGroups(1_000, (number) => lockAndLeave(store, number));

const before = await heap();
await inGroups(Number(watches), (number) => openAndLeave(store, number));
const afterWatches = await heap();
await inGroups(Number(calls), (number) => call(store, number));
const afterCalls = await heap();
await inGroups(Number(locks), (number) => lockAndLeave(store, number));
const afterLocks = await heap();
const listeners = getEventListeners(signal, "abort").length;
await store.close();
await heap();
const resources = process.getActiveResourcesInfo().filter((each) => !["PipeWrap", "TTYWrap"].includes(each));
console.log(JSON.stringify({ before, afterWatches, afterCalls, afterLocks, listeners, resources }));
