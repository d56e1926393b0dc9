import { SharedWatch } from "../../../../src/core/shared-watch.js";
import { Signals } from "../../../../src/core/signals.js";
import { KVPair } from "../../../../src/core/pair.js";
import { KeySource, TreeSource } from "../../../../src/core/watch-sources.js";
import { WatchIterator } from "../../../../src/core/watch-iterator.js";
import type { TreeChange } from "../../../../src/core/store.js";
import { encodeUtf8 } from "../../../../src/util/bytes.js";
import { TestDriver, type DriverWatch } from "./test-driver.js";

/** A pair for tests. */
export function pair(key: string, revision: number, value = `${key}@${revision}`): KVPair {
  return new KVPair(key, encodeUtf8(value), BigInt(revision));
}

/** A shared watch on a driver of the test, and iterators on it. */
export function createWatch(type: "key" | "tree" = "tree", path = "") {
  const driver = new TestDriver();
  const events: string[] = [];
  const shared = new SharedWatch(driver, { type, path }, (event, watchers) => events.push(`${event} ${watchers}`));
  const signals = new Signals();
  const registry = {
    join: (follower: Parameters<SharedWatch["follow"]>[0]) => {
      shared.follow(follower);
      return shared;
    },
    leave: (follower: Parameters<SharedWatch["leave"]>[0]) => void shared.leave(follower),
  };
  const tree = (signal?: AbortSignal) =>
    new WatchIterator<TreeChange>((own) => new TreeSource(own, registry), signal, signals);
  const key = (signal?: AbortSignal) =>
    new WatchIterator<KVPair | undefined>((own) => new KeySource(own, registry), signal, signals);
  const upstream = (): DriverWatch => driver.watches[0]!;
  return { driver, shared, events, tree, key, upstream };
}

/** An item of a tree watch in a line: `+a@1 -b`, with what was there before in brackets. */
export function shown(item: TreeChange): string {
  return item.changes
    .map((change) => {
      const before = change.previous === undefined ? "" : `[${change.previous.text()}]`;
      return change.type === "put" ? `+${change.pair.text()}${before}` : `-${change.key}${before}`;
    })
    .join(" ");
}
