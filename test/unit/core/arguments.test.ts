import { describe, expect, it } from "vitest";
import { boltCapabilities } from "../../../src/bolt/capabilities.js";
import {
  checkValue,
  consistencyOf,
  effectiveTtl,
  expectation,
  positiveInteger,
  valueBytes,
} from "../../../src/core/arguments.js";
import { KVPair } from "../../../src/core/pair.js";

const refused = expect.objectContaining({ code: "INVALID_ARGUMENT" });

describe("values", () => {
  it("are copied: what the caller does to its bytes later changes nothing", () => {
    const own = new Uint8Array([1, 2, 3]);
    const taken = valueBytes(own);
    own.fill(9);
    expect([...taken]).toEqual([1, 2, 3]);
  });

  it("of a view are the bytes of the view alone", () => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5]);
    expect([...valueBytes(buffer.subarray(1, 3))]).toEqual([2, 3]);
    expect(valueBytes(buffer.subarray(1, 3)).buffer.byteLength).toBe(2);
    expect([...valueBytes(Buffer.from("hi"))]).toEqual([104, 105]);
  });

  it.each([null, undefined, 5, {}, [1], true, new ArrayBuffer(2), new Uint16Array(2)])("%s is refused", (value) => {
    expect(() => valueBytes(value)).toThrow(refused);
  });

  it("text with half a surrogate pair is refused", () => {
    expect(() => valueBytes("a\ud83d")).toThrow(/surrogate/);
  });

  it("over the limit, or not UTF-8 where only that goes, are refused with sizes and the backend's name", () => {
    const { values, ...capabilities } = boltCapabilities(false);
    const small = { ...capabilities, values: { ...values, maxBytes: 3, content: "utf-8" as const } };
    expect(() => checkValue(new Uint8Array(3), small)).not.toThrow();
    expect(() => checkValue(new Uint8Array(4), small)).toThrow(
      /VALUE_TOO_LARGE: the value is 4 bytes; bolt takes at most 3/,
    );
    expect(() => checkValue(new Uint8Array([0xff]), small)).toThrow(expect.objectContaining({ code: "NOT_SUPPORTED" }));
  });
});

describe("a ttl", () => {
  const capabilities = boltCapabilities(false);
  const coarse = {
    ...capabilities,
    ttl: { ...capabilities.ttl, minimumMs: 10_000, maximumMs: 86_400_000, granularityMs: 1_000 },
  };

  it.each([
    [1, 10_000],
    [10_000, 10_000],
    [10_001, 11_000],
    [86_400_000, 86_400_000],
  ])("of %d ms takes effect as %d where the server counts in seconds from ten on", (ttlMs, effective) => {
    expect(effectiveTtl({ ttlMs }, coarse)).toBe(effective);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 86_400_001, "5"])("of %s is refused", (ttlMs) => {
    expect(() => effectiveTtl({ ttlMs: ttlMs as number }, coarse)).toThrow(refused);
  });

  it("is what keepAlive needs", () => {
    expect(() => effectiveTtl({ keepAlive: true }, coarse)).toThrow(/keepAlive needs a ttlMs/);
    expect(effectiveTtl({}, coarse)).toBeUndefined();
  });
});

describe("what a compare-and-set compares with", () => {
  const pair = new KVPair("a", new Uint8Array([1]), 5n);

  it("is absence, a revision, or a revision and bytes of its own", () => {
    expect(expectation("a", null)).toBe("absent");
    expect(expectation("a", undefined)).toBe("absent");
    expect(expectation("a", { revision: 5n })).toEqual({ revision: 5n });
    const expected = expectation("a", pair);
    expect(expected).toEqual({ revision: 5n, value: new Uint8Array([1]) });
    expect(expected !== "absent" && expected.value).not.toBe(pair.value);
  });

  it.each([5, "5", {}, { revision: 5 }, []])("is not %j", (previous) => {
    expect(() => expectation("a", previous as never)).toThrow(refused);
  });

  it("is not a pair of another key", () => {
    expect(() => expectation("b", pair)).toThrow(/a pair of "a", not of this key/);
  });
});

it("whole numbers above zero are whole numbers above zero", () => {
  expect(positiveInteger("limit", 5)).toBe(5);
  expect(positiveInteger("limit", undefined)).toBeUndefined();
  for (const bad of [0, -1, 1.5, 2 ** 53, Number.NaN]) expect(() => positiveInteger("limit", bad)).toThrow(/limit/);
});

it("consistency is one of two", () => {
  expect(consistencyOf({})).toBe("linearizable");
  expect(consistencyOf({ consistency: "stale" })).toBe("stale");
  expect(() => consistencyOf({ consistency: "quorum" })).toThrow(/"linearizable" or "stale", not "quorum"/);
});
