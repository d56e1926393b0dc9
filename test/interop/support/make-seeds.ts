/**
 * Makes the Go-written files in `test/interop/seeds` anew:
 * `npx tsx test/interop/support/make-seeds.ts`.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { metaField } from "./forge.js";
import { goApply, goCheck } from "./go.js";
import { type HistoryShape, randomHistory, separateBucketDeletes } from "./history.js";
import { Random } from "./random.js";

const folder = await mkdtemp(join(tmpdir(), "kvasir-seeds-"));

async function make(name: string, seed: number, shape: HistoryShape, options: readonly string[]): Promise<void> {
  const file = join(folder, name);
  await goApply(file, separateBucketDeletes(randomHistory(new Random(seed), shape)), [...options, "-no-sync"]);
  const { ok, pageSize } = await goCheck(file);
  if (!ok) throw new Error(`${name} does not pass Go's check`);
  const bytes = await readFile(file);
  const highWater = [0, pageSize].map((start) => bytes.readBigUInt64LE(start + metaField.highWater));
  // The unused rest of the file would only hide mutations.
  const used = bytes.subarray(0, Math.max(...highWater.map(Number)) * pageSize);
  await writeFile(new URL(`../seeds/${name}.db.gz`, import.meta.url), gzipSync(used, { level: 9 }));
}

const small = { keys: 60, valueBytes: 60 };
await make("go-1k-nested", 1, { ...small, transactions: 12, operations: 25, largeBytes: 3000 }, ["-page-size=1024"]);
await make("go-4k-unsynced", 2, { ...small, transactions: 8, operations: 25 }, [
  "-no-freelist-sync",
  "-page-size=4096",
]);
await make("go-1k-deep", 3, { transactions: 10, operations: 60, keys: 150, valueBytes: 40, depth: 4 }, [
  "-page-size=1024",
  "-freelist=hashmap",
]);
await rm(folder, { recursive: true });
