import { describe, expect, it } from "vitest";
import { MemoryStorage, openStorage } from "../../../src/bolt/engine/index.js";
import { crashEverywhere, record, type Workload } from "../../interop/support/crash.js";
import { PowerFailures } from "../../interop/support/power-failures.js";
import { Random, testSeed } from "../../interop/support/random.js";
import { RecordingDisk } from "../../interop/support/recording-disk.js";

/** How many different crash images the whole file looks at; `KVASIR_CRASH_IMAGES=50000` for a long run. */
const wanted = Number(process.env["KVASIR_CRASH_IMAGES"] ?? 2400);

const small = { transactions: 40, operations: 6, keys: 40, valueBytes: 60 };
const growing = { transactions: 25, operations: 40, keys: 600, valueBytes: 120 };
const wide = { transactions: 25, operations: 150, keys: 1_000, valueBytes: 120, depth: 1 };
const large = { transactions: 20, operations: 8, keys: 30, valueBytes: 100, largeBytes: 20_000 };

const workloads: Record<string, Workload> = {
  "1 KiB pages": { options: { pageSize: 1024 }, shape: small, inflight: 1, call: "update" },
  "1 KiB pages, freelist not synced": {
    options: { pageSize: 1024, noFreelistSync: true },
    shape: small,
    inflight: 1,
    call: "update",
  },
  "4 KiB pages": { options: { pageSize: 4096 }, shape: small, inflight: 1, call: "update" },
  "a file that grows": { options: { pageSize: 1024 }, shape: growing, inflight: 1, call: "update" },
  "commits of many pages": { options: { pageSize: 1024 }, shape: wide, inflight: 1, call: "update" },
  "large values": { options: { pageSize: 1024 }, shape: large, inflight: 1, call: "update" },
  "large values, freelist not synced": {
    options: { pageSize: 4096, noFreelistSync: true },
    shape: large,
    inflight: 1,
    call: "update",
  },
  "buckets in buckets": { options: { pageSize: 1024 }, shape: { ...small, depth: 5 }, inflight: 1, call: "update" },
  "eight writers at once": { options: { pageSize: 1024 }, shape: small, inflight: 8, call: "update" },
  "eight writers in shared commits": { options: { pageSize: 1024 }, shape: small, inflight: 8, call: "batch" },
};

const seed = testSeed();

describe("after a power failure every acknowledged transaction is there and none is half there", () => {
  const share = Math.ceil(wanted / Object.keys(workloads).length);
  for (const [name, workload] of Object.entries(workloads)) {
    it(`${name}, ${share} images, seed ${seed}`, { timeout: 60_000 + 20 * wanted }, async () => {
      const random = new Random(seed);
      let images = 0;
      let ahead = 0;
      for (let round = 0; images < share; round++) {
        const recording = await record(new RecordingDisk(), workload, random);
        const report = await crashEverywhere(recording, Math.min(share, 400), random);
        images += report.images;
        ahead += report.ahead;
        expect(round).toBeLessThan(share);
      }
      // Crashes late in a commit must be among them, or nothing was put to the test.
      expect(ahead).toBeGreaterThan(0);
    });
  }

  it(`also of commits whose first pages are synced while the rest is written, seed ${seed}`, {
    timeout: 180_000,
  }, async () => {
    const random = new Random(seed);
    const shape = { transactions: 4, operations: 120, keys: 30, valueBytes: 100, largeBytes: 6_000_000, depth: 1 };
    const workload: Workload = { options: { pageSize: 4096 }, shape, inflight: 1, call: "update" };
    let images = 0;
    let ahead = 0;
    let earlySyncs = 0;
    for (let round = 0; images < 100 || earlySyncs < 10; round++) {
      const disk = new CountingDisk();
      const recording = await record(disk, workload, random);
      // Making the file takes two, and each commit at most two others.
      earlySyncs += Math.max(disk.syncs - 2 - 2 * shape.transactions, 0);
      const report = await crashEverywhere(recording, 30, random);
      images += report.images;
      ahead += report.ahead;
      expect(round).toBeLessThan(60);
    }
    expect(ahead).toBeGreaterThan(0);
  });

  it.each([1024, 4096, 65_536])(
    `also while the file is being made, with pages of %i bytes, seed ${seed}`,
    async (pageSize) => {
      const random = new Random(seed);
      const disk = new RecordingDisk();
      await (await openStorage(disk, { pageSize, initialSize: 8 * pageSize })).close();
      const seen = new Set<string>();
      for (let round = 0; round < 100; round++) {
        const failures = new PowerFailures(disk);
        for (let at = 0; at <= disk.events; at++) {
          const image = failures.image(at, random);
          const content = Buffer.from(image).toString("latin1");
          if (seen.has(content)) continue;
          seen.add(content);
          const db = await openStorage(new MemoryStorage(image), { pageSize });
          await db.update((tx) => tx.createBucket("b").put(new Uint8Array(1), new Uint8Array(1)));
          expect(await db.check()).toEqual([]);
          await db.close();
        }
      }
      expect(seen.size).toBeGreaterThan(20);
    },
  );

  it(`also after a second failure on the file that the first one left, seed ${seed}`, { timeout: 60_000 }, async () => {
    const random = new Random(seed);
    const workload = workloads["1 KiB pages"]!;
    let images = 0;
    for (let round = 0; round < 10; round++) {
      const first = await record(new RecordingDisk(), workload, random);
      const left = new PowerFailures(first.disk).image(random.between(first.opened, first.disk.events), random);
      const second = await record(new RecordingDisk(left), workload, random);
      images += (await crashEverywhere(second, 30, random)).images;
    }
    expect(images).toBeGreaterThan(200);
  });
});

/** Counts how often it is told to sync. */
class CountingDisk extends RecordingDisk {
  syncs = 0;

  override async sync(): Promise<void> {
    this.syncs++;
    await super.sync();
  }
}

/** A disk whose syncs, all or every other one, only say that they did. */
class LyingDisk extends RecordingDisk {
  readonly #honest: (sync: number) => boolean;
  #syncs = 0;

  constructor(honest: (sync: number) => boolean) {
    super();
    this.#honest = honest;
  }

  override async sync(): Promise<void> {
    if (this.#honest(this.#syncs++)) await super.sync();
  }
}

describe("the test itself catches", () => {
  const workload = workloads["1 KiB pages"]!;

  it(`a storage that ignores sync, seed ${seed}`, async () => {
    const random = new Random(seed);
    const recording = await record(new LyingDisk(() => false), workload, random);
    await expect(crashEverywhere(recording, 400, random)).rejects.toThrow(/crash image at event/);
  });

  it.each(["first", "second"])(`a storage that ignores the %s sync of each commit, seed ${seed}`, async (which) => {
    const random = new Random(seed);
    const remainder = which === "first" ? 1 : 0;
    const recording = await record(new LyingDisk((sync) => sync % 2 === remainder), workload, random);
    await expect(crashEverywhere(recording, 800, random)).rejects.toThrow(/crash image at event/);
  });
});
