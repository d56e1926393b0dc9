import type { KVPair } from "../core/pair.js";
import type { ReadOptions, Store, WatchOptions } from "../core/store.js";
import { mapIterable } from "./mapped-iterable.js";

/** The id of the leader of the election at `key`, for those who do not stand themselves; `undefined` when there is none. */
export async function leaderOf(store: Store, key: string, options?: ReadOptions): Promise<string | undefined> {
  return idIn(await store.get(key, options));
}

/**
 * The leader's id now and after each change, `undefined` while there is none. Survives outages of the store, and during
 * one shows the last that was known; two terms of the same leader in a row may look like one.
 */
export function observeLeader(store: Store, key: string, options?: WatchOptions): AsyncIterable<string | undefined> {
  return mapIterable(store.watch(key, options), () => {
    let last: { readonly item: string | undefined } | undefined;
    return (pair) => {
      const item = idIn(pair);
      if (last !== undefined && last.item === item) return undefined;
      last = { item };
      return last;
    };
  });
}

/** Ids that other programs wrote are shown as well as they can be. */
function idIn(pair: KVPair | undefined): string | undefined {
  return pair && Buffer.from(pair.value).toString("utf8");
}
