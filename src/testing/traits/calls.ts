import type { CallOptions, Store } from "../../core/store.js";

/** One call of a store as data, so that what holds for every call is checked on every call. */
export interface AnyCall {
  readonly name: string;
  /** Whether it changes the store: its errors then say the outcome. */
  readonly writes: boolean;
  /** Whether it takes `timeoutMs`. */
  readonly timed: boolean;
  /** Whether it takes a key or directory, in the place of `key`. */
  readonly keyed: boolean;
  run(store: Store, key: string, options?: CallOptions): Promise<unknown>;
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _item of items);
}

/** The first item; for watches, which have no end. */
async function first(items: AsyncIterable<unknown>): Promise<unknown> {
  for await (const item of items) return item;
  return undefined;
}

const read = { writes: false, timed: true, keyed: true };
const write = { writes: true, timed: true, keyed: true };
/** A revision that no key has. */
const never = { revision: 1n };

/** Every call that reads or writes, locks and watches included. */
export const everyCall: readonly AnyCall[] = [
  { name: "put", ...write, run: (store, key, options) => store.put(key, "v", options) },
  {
    name: "put with a ttl",
    ...write,
    run: (store, key, options) => store.put(key, "v", { ...options, ttlMs: 60_000 }),
  },
  { name: "get", ...read, run: (store, key, options) => store.get(key, options) },
  { name: "stale get", ...read, run: (store, key, options) => store.get(key, { ...options, consistency: "stale" }) },
  { name: "exists", ...read, run: (store, key, options) => store.exists(key, options) },
  { name: "delete", ...write, run: (store, key, options) => store.delete(key, options) },
  { name: "list", ...read, run: (store, key, options) => store.list(key, options) },
  { name: "keys", ...read, run: (store, key, options) => store.keys(key, options) },
  { name: "scan", ...read, run: async (store, key, options) => drain(store.scan(key, options)) },
  { name: "deleteTree", ...write, run: (store, key, options) => store.deleteTree(key, options) },
  { name: "atomicPut", ...write, run: (store, key, options) => store.atomicPut(key, "v", undefined, options) },
  { name: "atomicDelete", ...write, run: (store, key, options) => store.atomicDelete(key, never, options) },
  { name: "update", ...write, run: (store, key, options) => store.update(key, () => "v", options) },
  { name: "atomic", ...write, run: async (store, key, options) => store.atomic().put(key, "v").commit(options) },
  {
    name: "watch",
    ...read,
    timed: false,
    run: async (store, key, options) => first(store.watch(key, { signal: options?.signal })),
  },
  {
    name: "watchTree",
    ...read,
    timed: false,
    run: async (store, key, options) => first(store.watchTree(key, { signal: options?.signal })),
  },
  { name: "lock", ...write, run: async (store, key, options) => store.newLock(key).lock(options) },
  { name: "tryLock", ...write, run: async (store, key, options) => store.newLock(key).tryLock(options) },
  { name: "ping", ...read, keyed: false, run: (store, _key, options) => store.ping(options) },
];

/** One case for each call. */
export function forEachCall<T>(
  calls: readonly AnyCall[],
  title: (call: AnyCall) => string,
  make: (call: AnyCall) => T,
): Record<string, T> {
  return Object.fromEntries(calls.map((call) => [title(call), make(call)]));
}
