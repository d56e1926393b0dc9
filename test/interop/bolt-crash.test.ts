import { writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { record } from "./support/crash.js";
import { temporaryFolder } from "./support/folder.js";
import { goCheck, goDump } from "./support/go.js";
import { PowerFailures } from "./support/power-failures.js";
import { Random, testSeed } from "./support/random.js";
import { RecordingDisk } from "./support/recording-disk.js";

const file = temporaryFolder();
const first = testSeed();
const images = 40;
const pageSize = 1024;
/** bbolt 1.3.6 looks for the page size in the first meta page alone, and takes the system's where that is torn. */
const flags = [`-page-size=${pageSize}`];

it.each([
  { noFreelistSync: false, seed: first },
  { noFreelistSync: true, seed: first + 1 },
])(`Go finds what a power failure left sound, freelist unsynced $noFreelistSync, seed $seed`, async (settings) => {
  const random = new Random(settings.seed);
  const { disk, opened, states } = await record(
    new RecordingDisk(),
    {
      options: { pageSize, noFreelistSync: settings.noFreelistSync },
      shape: { transactions: 30, operations: 15, keys: 100, valueBytes: 80, largeBytes: 10_000 },
      inflight: 1,
      call: "update",
    },
    random,
  );
  const failures = new PowerFailures(disk);
  const path = file(`crash-${settings.seed}.db`);
  const step = (disk.events - opened) / images;
  for (let at = opened; at <= disk.events; at += step) {
    const moment = Math.floor(at);
    await writeFile(path, failures.image(moment, random));
    expect(await goCheck(path, flags), `event ${moment}`).toMatchObject({ ok: true, errors: [] });
    const { acknowledged, begun } = disk.progress(moment);
    expect(states.slice(acknowledged, begun + 1), `event ${moment}`).toContain(await goDump(path, flags));
  }
});
