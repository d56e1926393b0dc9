import { describe, expect, it } from "vitest";
import { Ballast } from "../../../src/consul/ballast.js";
import { ManualClock } from "../core/support/manual-clock.js";

/** How many of 1,000 answers of so many characters, so far apart in milliseconds, were too much. */
function burdens(characters: number, everyMs: number): number {
  const clock = new ManualClock();
  const ballast = new Ballast(clock);
  let burdens = 0;
  for (let answer = 0; answer < 1_000; answer++) {
    clock.jump(everyMs);
    if (ballast.add(characters)) burdens++;
  }
  return burdens;
}

describe("what answers carry besides news", () => {
  it("is too much when it is large and comes often", () => {
    expect(burdens(67_000, 2)).toBe(32);
    expect(burdens(500_000, 100)).toBeGreaterThan(150);
  });

  it("is borne when it comes seldom, or is little", () => {
    expect(burdens(67_000, 67)).toBe(0);
    expect(burdens(1_500_000, 1_500)).toBe(0);
    expect(burdens(4_000, 0)).toBe(0);
  });

  it("is forgotten while nothing comes", () => {
    const clock = new ManualClock();
    const ballast = new Ballast(clock);
    expect([ballast.add(1_900_000), ballast.add(99_999)]).toEqual([false, false]);
    clock.jump(1_000);
    expect(ballast.add(1_000_000)).toBe(false);
    expect(ballast.add(1)).toBe(false);
    expect(ballast.add(4_096)).toBe(true);
    expect(ballast.add(1_999_999)).toBe(false);
  });
});
