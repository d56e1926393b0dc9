import { stat } from "node:fs/promises";
import { join } from "node:path";
import { open } from "kvasir/bolt/engine";
import { keyBytesOf, keyCount, randomOrder, valueOf } from "../harness/keys.js";
import type { Measure } from "../harness/row.js";
import { bboltFileBytes } from "./bbolt.js";

/**
 * The file after 100,000 inserts in random order, each a transaction of its own. Without syncs on either side, for where
 * pages come to lie does not depend on them.
 */
export function fileSize(folder: string): Measure {
  return {
    name: "fileSize",
    unit: "MiB",
    ours: async () => {
      const path = join(folder, "inserts.db");
      const db = await open(path, { noSync: true });
      await db.update((tx) => tx.createBucket("bench"));
      for (const index of shuffled(keyCount)) {
        await db.update((tx) => tx.bucket("bench")!.put(keyBytesOf(index), valueOf(index)));
      }
      await db.close();
      return (await stat(path)).size / 2 ** 20;
    },
    limit: {
      peerName: "bbolt",
      measure: async () => (await bboltFileBytes(join(folder, "peer-inserts.db"), keyCount)) / 2 ** 20,
    },
  };
}

/** The numbers below `count` in random order, the same each time. */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, at) => at);
  const random = randomOrder(2 ** 31, count);
  for (let at = count - 1; at > 0; at--) {
    const other = random[at]! % (at + 1);
    [numbers[at], numbers[other]] = [numbers[other]!, numbers[at]!];
  }
  return numbers;
}
