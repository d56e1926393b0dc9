import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type OpenOptions, openStorage } from "../../../src/bolt/engine/index.js";
import { MemoryStorage } from "../../../src/bolt/engine/memory-storage.js";
import { applyToEngine } from "./engine.js";
import { type HistoryShape, randomHistory } from "./history.js";
import { Random } from "./random.js";

/** A sound file to damage. */
export interface SeedFile {
  name: string;
  bytes: Uint8Array;
}

/** Files that Go's bbolt 1.3.6 wrote (see make-seeds.ts), kept compressed. */
const goFiles = ["go-1k-nested", "go-1k-deep", "go-4k-unsynced"];

/** Small files of each kind, from Go's bbolt and from our engine. */
export async function seedFiles(): Promise<SeedFile[]> {
  const folder = new URL("../seeds/", import.meta.url);
  const seeds = goFiles.map((name) => ({ name, bytes: gunzipSync(readFileSync(new URL(`${name}.db.gz`, folder))) }));
  const shape = { transactions: 14, operations: 30, keys: 80, valueBytes: 60 };
  return [
    ...seeds,
    await ours("ours-1k", { pageSize: 1024 }, { ...shape, largeBytes: 4000 }),
    await ours("ours-1k-unsynced", { pageSize: 1024, noFreelistSync: true }, shape),
    await ours("ours-2k-deep", { pageSize: 2048 }, { ...shape, depth: 5 }),
  ];
}

async function ours(name: string, options: OpenOptions, shape: HistoryShape): Promise<SeedFile> {
  const storage = new MemoryStorage();
  const db = await openStorage(storage, options);
  for (const transaction of randomHistory(new Random(11), shape)) await applyToEngine(db, transaction);
  await db.close();
  return { name, bytes: storage.content() };
}
