import { beforeAll, describe, expect, it } from "vitest";
import { type Verdict, tryFile } from "../../interop/support/fuzz.js";
import { mutate } from "../../interop/support/mutate.js";
import { Random, testSeed } from "../../interop/support/random.js";
import { type SeedFile, seedFiles } from "../../interop/support/seed-files.js";

/** How many damaged files are tried in all; `KVASIR_FUZZ_FILES` for a longer run. */
const wanted = Number(process.env["KVASIR_FUZZ_FILES"] ?? 21_000);
const seed = testSeed();
const kinds = ["go-1k-nested", "go-1k-deep", "go-4k-unsynced", "ours-1k", "ours-1k-unsynced", "ours-2k-deep"];

describe("a damaged file gives CORRUPT or what it holds, within a second", () => {
  let seeds: SeedFile[];
  beforeAll(async () => {
    seeds = await seedFiles();
  });

  it("the seed files themselves are sound", async () => {
    expect(seeds.map(({ name }) => name)).toEqual(kinds);
    for (const { bytes } of seeds) expect((await tryFile(bytes)).refusedAt).toBe("sound");
  });

  const share = Math.ceil(wanted / kinds.length);
  it.each(kinds)(`%s, ${share} times, seed ${seed}`, { timeout: 60_000 + 20 * wanted }, async (kind) => {
    const file = seeds.find(({ name }) => name === kind)!;
    const random = new Random(seed);
    const verdicts: Record<Verdict["refusedAt"], number> = { open: 0, read: 0, check: 0, put: 0, delete: 0, sound: 0 };
    let slowest: { ms: number; what: string } = { ms: 0, what: "" };
    for (let n = 0; n < share; n++) {
      const mutant = mutate(file.bytes, random);
      let verdict: Verdict;
      try {
        verdict = await tryFile(mutant.bytes);
      } catch (error) {
        throw new Error(`mutant ${n} (${mutant.what}): ${String(error)}`, { cause: error });
      }
      verdicts[verdict.refusedAt]++;
      if (verdict.slowestMs > slowest.ms) slowest = { ms: verdict.slowestMs, what: mutant.what };
    }
    expect(slowest.ms, slowest.what).toBeLessThan(1000);
    // Mutations that never, or always, show would put little to the test.
    expect(verdicts.sound, JSON.stringify(verdicts)).toBeGreaterThan(share / 100);
    expect(verdicts.read, JSON.stringify(verdicts)).toBeGreaterThan(share / 100);
    expect(verdicts.open, JSON.stringify(verdicts)).toBeGreaterThan(share / 100);
  });
});
