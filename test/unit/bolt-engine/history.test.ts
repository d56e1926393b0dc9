import { describe, expect, test } from "vitest";
import { type Bucket, MemoryStorage, openStorage } from "../../../src/bolt/engine/index.js";
import { bytes, type Content, contentOf, expectSound, listed, seededRandom, sorted } from "./support.js";

/** One random change, made to the bucket and to the model alike. */
function change(bucket: Bucket, model: Content, random: () => number, depth: number): void {
  const pick = (count: number): number => Math.floor(random() * count);
  const key = `${"k".repeat(1 + pick(3))}${pick(400)}`;
  const there = model.get(key);
  const kind = random();
  if (kind < 0.15 && depth < 3) {
    if (typeof there === "string") return;
    const nested = bucket.createBucketIfNotExists(key);
    const inner = there ?? new Map();
    model.set(key, inner);
    for (let count = pick(20); count > 0; count--) change(nested, inner, random, depth + 1);
  } else if (kind < 0.25 && there !== undefined && typeof there !== "string") {
    bucket.deleteBucket(key);
    model.delete(key);
  } else if (there !== undefined && typeof there !== "string") {
    bucket.bucket(key)!.setSequence(BigInt(pick(1000)));
  } else if (kind < 0.6) {
    expect(bucket.delete(bytes(key))).toBe(model.delete(key));
  } else {
    const value = "v".repeat(random() < 0.03 ? pick(9000) : pick(120));
    bucket.put(bytes(key), bytes(value));
    model.set(key, value);
  }
}

const copy = (content: Content): Content =>
  new Map([...content].map(([key, value]) => [key, typeof value === "string" ? value : copy(value)]));

describe("a random history", () => {
  const settings = [
    { pageSize: 1024, noFreelistSync: false, cacheBytes: 4096 },
    { pageSize: 4096, noFreelistSync: false, cacheBytes: 1 << 20 },
    { pageSize: 4096, noFreelistSync: true, cacheBytes: 0 },
    { pageSize: 16_384, noFreelistSync: true, cacheBytes: 1 << 20 },
  ];

  test.each(settings)(
    "agrees with a plain map: $pageSize-byte pages, noFreelistSync $noFreelistSync",
    async (options) => {
      for (const seed of [1, 2]) {
        const random = seededRandom(seed * options.pageSize);
        const storage = new MemoryStorage();
        let db = await openStorage(storage, options);
        let model: Content = new Map();
        for (let round = 0; round < 20; round++) {
          const next = copy(model);
          const undo = random() < 0.15;
          const update = db.update((tx) => {
            const bucket = tx.createBucketIfNotExists("b");
            for (let count = Math.floor(random() * 150); count > 0; count--) change(bucket, next, random, 0);
            // What the transaction sees of itself must be right as well.
            if (round % 8 === 0) expect(listed(contentOf(bucket)) === listed(sorted(next))).toBe(true);
            if (undo) throw new Error("undo");
          });
          if (undo) await expect(update).rejects.toThrow("undo");
          else await update;
          if (!undo) model = next;
          await expectSound(db);
          if (random() < 0.15) {
            await db.close();
            db = await openStorage(storage, options);
          }
          const found = db.view((tx) => tx.bucket("b") && contentOf(tx.bucket("b")!));
          expect(listed(found ?? new Map()) === listed(sorted(model)), `seed ${seed}, round ${round}`).toBe(true);
        }
        await db.close();
      }
    },
  );
});
