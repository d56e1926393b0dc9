import { compareKeys } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { ScanOptions, Store } from "../core/store.js";
import { equalBytes } from "../util/bytes.js";

/** What it takes to make the target's key as the source's is. */
export type Difference =
  | { readonly kind: "create" | "change"; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: "same" | "delete"; readonly key: string };

/**
 * Compares the keys below a directory of two stores. Both come sorted by the same order, so a walk along the two scans
 * is enough, and memory holds a page of each.
 */
export async function* compareTrees(
  source: Store,
  target: Store,
  directory: string,
  options: ScanOptions,
): AsyncGenerator<Difference> {
  const left = source.scan(directory, options)[Symbol.asyncIterator]();
  const right = target.scan(directory, options)[Symbol.asyncIterator]();
  try {
    let wanted = await nextPair(left);
    let found = await nextPair(right);
    while (wanted !== undefined || found !== undefined) {
      const order = orderOf(wanted, found);
      if (order < 0) yield { kind: "create", key: wanted!.key, value: wanted!.value };
      else if (order > 0) yield { kind: "delete", key: found!.key };
      else if (equalBytes(wanted!.value, found!.value)) yield { kind: "same", key: wanted!.key };
      else yield { kind: "change", key: wanted!.key, value: wanted!.value };
      if (order <= 0) wanted = await nextPair(left);
      if (order >= 0) found = await nextPair(right);
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}

function orderOf(left: KVPair | undefined, right: KVPair | undefined): number {
  if (left === undefined) return 1;
  if (right === undefined) return -1;
  return compareKeys(left.key, right.key);
}

async function nextPair(pairs: AsyncIterator<KVPair>): Promise<KVPair | undefined> {
  const next = await pairs.next();
  return next.done === true ? undefined : next.value;
}
