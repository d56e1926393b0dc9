import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeRecord, parseRecord } from "../../../src/cli/records.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("export records", () => {
  test("text as value, other bytes as base64", () => {
    expect(encodeRecord("a/b", bytes("zwölf\n"))).toBe('{"key":"a/b","value":"zwölf\\n"}');
    expect(encodeRecord("a", new Uint8Array([0xff, 0]))).toBe('{"key":"a","base64":"/wA="}');
    expect(encodeRecord("a", new Uint8Array())).toBe('{"key":"a","value":""}');
  });

  test("any key and any bytes come back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.uint8Array(), fc.boolean(), (key, value, bom) => {
        const whole = bom ? new Uint8Array([0xef, 0xbb, 0xbf, ...value]) : value;
        const line = encodeRecord(key, whole);
        expect(line).not.toContain("\n");
        const record = parseRecord(line);
        expect(record.key).toBe(key);
        expect(Buffer.from(record.value)).toEqual(Buffer.from(whole));
      }),
    );
  });

  test("the lines of `list --json` are taken too", () => {
    expect(parseRecord('{"key":"a","value":"x","revision":"7"}')).toEqual({ key: "a", value: "x" });
  });

  test.each([
    ["{", "not JSON"],
    ["[1]", "not an object"],
    ["null", "not an object"],
    ['"x"', "not an object"],
    ['{"value":"x"}', '"key"'],
    ['{"key":1,"value":"x"}', '"key"'],
    ['{"key":"a"}', 'one of "value" and "base64"'],
    ['{"key":"a","value":"x","base64":"eA=="}', 'one of "value" and "base64"'],
    ['{"key":"a","value":7}', "not a string"],
    ['{"key":"a","value":"\\ud800"}', "surrogate"],
    ['{"key":"a","base64":"e A=="}', "not base64"],
    ['{"key":"a","base64":"eA"}', "not base64"],
    ['{"key":"a","base64":7}', "not a string"],
    ['{"key":"a","value":"x","ttlMs":5}', '"ttlMs"'],
  ])("%s is refused: %s", (line, reason) => {
    expect(() => parseRecord(line)).toThrow(reason);
  });
});
