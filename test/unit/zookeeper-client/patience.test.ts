import { expect, it } from "vitest";
import { patienceMs } from "../../../src/zookeeper/client/patience.js";

it.each([
  ["a long session, one server", 60_000, 1, [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
  ["a short session, one server", 4_500, 1, [1_500, 3_000, 4_500, 4_500]],
  ["a session shorter than three seconds", 1_500, 1, [1_000, 1_500, 1_500]],
  ["three servers", 15_000, 3, [2_000, 4_000, 5_000, 5_000]],
  ["more servers than seconds", 5_000, 9, [1_000, 1_000]],
])("an attempt to connect gets its time: %s", (_name, timeoutMs, servers, expected) => {
  expect(expected.map((_, unanswered) => patienceMs(timeoutMs, servers, unanswered))).toEqual(expected);
  expect(patienceMs(timeoutMs, servers, 5_000)).toBe(expected.at(-1));
});
