import { type MultiReadResult, ReadFailure, type RequestOptions } from "./client/index.js";
import type { Ensemble } from "./ensemble.js";
import { isKey } from "./nodes.js";
import { parentOf } from "./paths.js";

/** What was asked for is done by then: it waits no longer for this, in milliseconds. */
const pruneMs = 1_000;

/**
 * Deletes the directories above deleted nodes that have become empty, up to the prefix: only those that hold nothing and
 * were never written, as they may have been made for the deleted ones. A create that meets a vanished parent makes it
 * again. What cannot be deleted stays: it is no key, and no list shows it.
 */
export async function pruneAbove(
  ensemble: Ensemble,
  deleted: readonly string[],
  bounds: RequestOptions,
): Promise<void> {
  await pruneEmpty(ensemble, parentsBelowBase(ensemble, deleted), bounds);
}

/** The same for the directories themselves. */
export async function pruneEmpty(
  ensemble: Ensemble,
  directories: readonly string[],
  bounds: RequestOptions,
): Promise<void> {
  if (directories.length === 0) return;
  const reads = directories.map((path) => ({ type: "getData", path }) as const);
  const brief = { ...bounds, timeoutMs: Math.min(bounds.timeoutMs ?? pruneMs, pruneMs) };
  await pruneRead(ensemble, directories, await ensemble.client.multiRead(reads, brief).catch(() => []), brief);
}

/** The same, for directories that were read already. */
export async function pruneRead(
  ensemble: Ensemble,
  directories: readonly string[],
  nodes: readonly MultiReadResult[],
  bounds: RequestOptions,
): Promise<void> {
  const empty = directories.filter((_, at) => isPrunable(nodes[at]));
  const ends = await Promise.allSettled(empty.map((path) => ensemble.client.delete(path, { ...bounds, version: 0 })));
  await pruneAbove(
    ensemble,
    empty.filter((_, at) => ends[at]!.status === "fulfilled"),
    bounds,
  );
}

/** The directories right above these nodes, each once, without the prefix's own. */
export function parentsBelowBase({ paths }: Ensemble, children: readonly string[]): string[] {
  const parents = new Set<string>();
  for (const child of children) {
    const parent = parentOf(child);
    if (parent !== undefined && parent.length > paths.base.length && parent !== "/") parents.add(parent);
  }
  return [...parents];
}

function isPrunable(node: MultiReadResult | undefined): boolean {
  if (node === undefined || node instanceof ReadFailure || !("stat" in node)) return false;
  return !isKey(node) && node.stat.version === 0 && node.stat.numChildren === 0;
}
