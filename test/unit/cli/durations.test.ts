import { describe, expect, test } from "vitest";
import { formatDuration, parseCount, parseDuration, parseRevision } from "../../../src/cli/durations.js";

describe("durations", () => {
  test.each([
    ["2000", 2_000],
    ["500ms", 500],
    ["2s", 2_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    [" 3s ", 3_000],
  ])("%s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "s", "5 s", "5x", "-1s", "0", "0s", "1e3", "1.s", "5M", "9999999999999999d"])(
    "%j is refused",
    (text) => {
      expect(() => parseDuration(text)).toThrow("Write a duration as 2000");
    },
  );

  test.each([
    [1, "1ms"],
    [999, "999ms"],
    [1_500, "1.5s"],
    [15_000, "15s"],
    [300_000, "5m"],
    [86_400_000, "1d"],
    [61_001, "61001ms"],
  ])("%i ms is written as %s, and read back", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
    expect(parseDuration(text)).toBe(ms);
  });

  test("counts are whole and at least 1", () => {
    expect(parseCount("12")).toBe(12);
    for (const text of ["0", "-1", "1.5", "x", "", "99999999999999999999"]) {
      expect(() => parseCount(text)).toThrow("whole number");
    }
  });

  test("revisions keep all their digits", () => {
    expect(parseRevision("18446744073709551615")).toBe(18446744073709551615n);
    expect(() => parseRevision("-1")).toThrow("revision");
  });
});
