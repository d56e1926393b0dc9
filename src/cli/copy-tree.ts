import type { CallOptions, Store } from "../core/store.js";
import { compareTrees, type Difference } from "./compare-trees.js";
import { TaskPool } from "./task-pool.js";

export interface CopyOptions extends CallOptions {
  /** Delete what only the target has. */
  readonly deleteOthers: boolean;
  /** How many writes may be under way. */
  readonly concurrency: number;
  /** Told how many keys have been looked at. */
  readonly onProgress?: ((keys: number) => void) | undefined;
}

/** What became of the keys. */
export interface CopyCounts {
  created: number;
  changed: number;
  same: number;
  deleted: number;
}

/** How many bytes of values may be under way at once. */
const maxBytesUnderWay = 32 * 1024 * 1024;

/** Makes the keys below the directory of the target as those of the source. The first write that fails ends it. */
export async function copyTree(
  source: Store,
  target: Store,
  directory: string,
  options: CopyOptions,
): Promise<CopyCounts> {
  const { signal, timeoutMs, deleteOthers, concurrency, onProgress } = options;
  const call = { signal, timeoutMs };
  const counts: CopyCounts = { created: 0, changed: 0, same: 0, deleted: 0 };
  const pool = new TaskPool({ maxTasks: concurrency, maxBytes: maxBytesUnderWay });
  let failure: { error: unknown } | undefined;
  const apply = async (difference: Difference): Promise<void> => {
    try {
      await applyDifference(target, difference, call, counts);
    } catch (error) {
      failure ??= { error };
    }
  };

  let seen = 0;
  try {
    for await (const difference of compareTrees(source, target, directory, call)) {
      if (failure !== undefined) break;
      onProgress?.(++seen);
      if (difference.kind === "same") counts.same += 1;
      else if (difference.kind !== "delete" || deleteOthers) {
        const bytes = "value" in difference ? difference.value.length : 0;
        const room = pool.add(bytes, () => apply(difference));
        if (room !== undefined) await room;
      }
    }
  } finally {
    await pool.settle();
  }
  if (failure !== undefined) throw failure.error;
  return counts;
}

async function applyDifference(
  target: Store,
  difference: Difference,
  call: CallOptions,
  counts: CopyCounts,
): Promise<void> {
  if (difference.kind === "create" || difference.kind === "change") {
    await target.put(difference.key, difference.value, call);
    counts[difference.kind === "create" ? "created" : "changed"] += 1;
  } else if (await target.delete(difference.key, call)) counts.deleted += 1;
}
