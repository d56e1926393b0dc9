import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goApply, goCheck, goDump } from "./support/go.js";
import { randomHistory, separateBucketDeletes } from "./support/history.js";
import { Model } from "./support/model.js";
import { Random, testSeed } from "./support/random.js";

/** The model that everything is compared with must itself agree with Go's bbolt. */
describe("the model and Go's bbolt", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kvasir-oracle-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const first = testSeed();
  for (const seed of [first, first + 1, first + 2]) {
    it(`agree on a random history, seed ${seed}`, async () => {
      const random = new Random(seed);
      const history = separateBucketDeletes(
        randomHistory(random, {
          transactions: 40,
          operations: 120,
          keys: 400,
          valueBytes: 90,
          largeBytes: 20_000,
          rollbacks: 0.1,
        }),
      );
      const model = new Model();
      for (const transaction of history) model.apply(transaction);
      const file = join(folder, `${seed}.db`);
      await goApply(file, history, ["-page-size=1024", "-no-sync"]);
      expect(await goDump(file)).toBe(model.dump());
      expect(await goCheck(file)).toMatchObject({ ok: true, errors: [], pageSize: 1024 });
    });
  }
});
