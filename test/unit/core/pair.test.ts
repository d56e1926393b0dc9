import { describe, expect, it } from "vitest";
import { KVPair } from "../../../src/core/pair.js";
import { encodeUtf8 } from "../../../src/util/bytes.js";

const pair = (value: string | Uint8Array, ttlMs?: number): KVPair =>
  new KVPair("a/b", typeof value === "string" ? encodeUtf8(value) : value, 2n ** 60n, ttlMs);

describe("a pair", () => {
  it("as text keeps a byte order mark, and throws on what is not UTF-8", () => {
    expect(pair("\ufeffhi").text()).toBe("\ufeffhi");
    expect(() => pair(new Uint8Array([0xff])).text()).toThrow(TypeError);
  });

  it("as JSON is what was put, or throws", () => {
    expect(pair('{"a":[1]}').json()).toEqual({ a: [1] });
    expect(() => pair("{").json()).toThrow(SyntaxError);
    expect(() => pair("").json()).toThrow(SyntaxError);
  });

  it("in JSON has the revision as a string, and bytes as base64 where they are no text", () => {
    expect(JSON.parse(JSON.stringify(pair("hi", 500)))).toEqual({
      key: "a/b",
      value: "hi",
      revision: "1152921504606846976",
      ttlMs: 500,
    });
    expect(JSON.parse(JSON.stringify(pair(new Uint8Array([0xff, 0]))))).toEqual({
      key: "a/b",
      base64: "/wA=",
      revision: "1152921504606846976",
    });
    expect(pair("").toJSON()).toMatchObject({ value: "" });
  });

  it("copied has bytes of its own", () => {
    const original = pair("hi", 5);
    const copy = original.copy();
    copy.value.fill(0);
    expect(original.text()).toBe("hi");
    expect(copy).toMatchObject({ key: "a/b", revision: original.revision, ttlMs: 5 });
  });
});
