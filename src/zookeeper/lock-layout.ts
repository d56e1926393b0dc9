import { lockSuffix } from "../core/keys.js";
import type { NodePaths } from "./paths.js";

/**
 * Where the contenders for a lock queue. `kvasir`: beside the key, in `<key>___lock`, so that the lock's value can be an
 * ephemeral node and goes with its holder. `libkv`: below the key, where Go's libkv and valkeyrie queue, to exclude them
 * too; the value is an ordinary one then, and a holder that dies leaves it behind.
 */
export type LockLayout = "kvasir" | "libkv";

/** The node below which contenders queue. */
export function lockQueue(paths: NodePaths, layout: LockLayout, key: string): string {
  return layout === "libkv" ? paths.of(key) : paths.of(key) + lockSuffix;
}

/** The number at the end of a contender's name, of go-zookeeper's kind or of kazoo's; undefined for other nodes. */
export function contenderNumber(name: string): number | undefined {
  const digits = /(?:lock-|__)(-?\d{10})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
