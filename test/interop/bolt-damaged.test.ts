import { writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { openStorage } from "../../src/bolt/engine/index.js";
import { MemoryStorage } from "../../src/bolt/engine/memory-storage.js";
import { dumpEngine } from "./support/engine.js";
import { temporaryFolder } from "./support/folder.js";
import { isFitForGo, pageSizeOf } from "./support/forge.js";
import { tryFile } from "./support/fuzz.js";
import { goCheck, goDump } from "./support/go.js";
import { mutate } from "./support/mutate.js";
import { Random, testSeed } from "./support/random.js";
import { seedFiles } from "./support/seed-files.js";

const file = temporaryFolder();
const seed = testSeed();
const wanted = 120;

it(`${wanted} damaged files that pass our check pass Go's too, and read the same, seed ${seed}`, async () => {
  const random = new Random(seed);
  const seeds = await seedFiles();
  let compared = 0;
  while (compared < wanted) {
    const from = random.pick(seeds);
    const mutant = mutate(from.bytes, random);
    if (!isFitForGo(mutant.bytes, pageSizeOf(Buffer.from(from.bytes)))) continue;
    if ((await tryFile(mutant.bytes)).refusedAt !== "sound") continue;
    const what = `${from.name}, ${mutant.what}`;
    const path = file("damaged.db");
    await writeFile(path, mutant.bytes);
    const report = await goCheck(path).catch((error: unknown) => {
      throw new Error(`${what}: Go refuses it`, { cause: error });
    });
    expect(report, what).toMatchObject({ ok: true, errors: [] });
    const db = await openStorage(new MemoryStorage(mutant.bytes));
    expect(dumpEngine(db), what).toBe(await goDump(path));
    await db.close();
    compared++;
  }
});
