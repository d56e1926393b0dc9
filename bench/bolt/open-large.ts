import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connectBolt } from "kvasir/bolt";
import { open } from "kvasir/bolt/engine";
import { keyOf, valueSize } from "../harness/keys.js";
import type { Measure } from "../harness/row.js";
import { median } from "../harness/side.js";
import type { Opened } from "./open-child.js";

const gibibyte = 2 ** 30;
const perTransaction = 250_000;
const child = fileURLToPath(new URL("open-child.ts", import.meta.url));

/**
 * Opening a file of 1 GiB, full of small keys and with a freelist, by a store in a process of its own: from the call of
 * `connectBolt` to the answer of the first `get`, and by how much the process grew over that.
 */
export function openLarge(folder: string): Measure[] {
  let opened: Promise<Opened[]> | undefined;
  const five = (): Promise<Opened[]> => (opened ??= openFiveTimes(join(folder, "large.db")));
  return [
    { name: "open", unit: "ms for 1 GiB", ours: async () => median((await five()).map((it) => it.ms)), limit: 50 },
    { name: "openMemory", unit: "MiB", ours: async () => median((await five()).map((it) => it.mib)), limit: 64 },
  ];
}

async function openFiveTimes(path: string): Promise<Opened[]> {
  const keys = await writeLarge(path);
  const opened: Opened[] = [];
  for (let round = 0; round < 5; round++) {
    const key = keyOf(Math.floor((keys * (round + 0.5)) / 5) | 1);
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", child, path, key]);
    opened.push(JSON.parse(stdout) as Opened);
  }
  return opened;
}

/** Fills a file up to 1 GiB, then deletes a tenth of it, so that there is a freelist to read; gives the number of keys. */
async function writeLarge(path: string): Promise<number> {
  // The store first, for it decides how its bucket looks.
  const store = await connectBolt({ path });
  await store.put(keyOf(0), "the first");
  await store.close();
  const db = await open(path, { noSync: true, fillPercent: 1 });
  // As the store lays a value out: 8 bytes of index before it.
  const value = Buffer.alloc(8 + valueSize, 1);
  let keys = 1;
  while ((await stat(path)).size < gibibyte) {
    await db.update((tx) => {
      const bucket = tx.bucket("kvasir")!;
      for (let at = 0; at < perTransaction; at++) bucket.put(Buffer.from(keyOf(keys++)), value);
    });
  }
  await db.update((tx) => {
    const cursor = tx.bucket("kvasir")!.cursor();
    cursor.seek(Buffer.from(keyOf(Math.floor(keys * 0.12))));
    for (let at = 0; at < keys * 0.07; at++) {
      cursor.delete();
      cursor.next();
    }
  });
  await db.sync();
  await db.close();
  return keys;
}
