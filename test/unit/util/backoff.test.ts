import { expect, it } from "vitest";
import { Backoff } from "../../../src/util/backoff.js";

it("grows from the first pause to the longest, with at most half of it left to chance", () => {
  const longest = new Backoff({ initialMs: 100, maximumMs: 1_000, random: () => 1 });
  expect(Array.from({ length: 6 }, () => longest.next())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  const shortest = new Backoff({ initialMs: 100, maximumMs: 1_000, random: () => 0 });
  expect(Array.from({ length: 6 }, () => shortest.next())).toEqual([50, 100, 200, 400, 500, 500]);
});

it("starts again after reset()", () => {
  const backoff = new Backoff({ initialMs: 10, factor: 10, random: () => 1 });
  expect([backoff.next(), backoff.next()]).toEqual([10, 100]);
  backoff.reset();
  expect(backoff.next()).toBe(10);
});

it("never gives a pause of nothing, nor two clients the same ones", () => {
  const pauses = Array.from({ length: 100 }, () => new Backoff().next());
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(25);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(50);
  expect(new Set(pauses).size).toBeGreaterThan(50);
});
