import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesToText, escapeControls, escapeJson, escapeLine, paintFor } from "../../../src/cli/terminal.js";

/** What must not reach a terminal from a key or a value. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const dangerous = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

const anyCodeUnit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));

describe("escaping for a terminal", () => {
  test("controls are spelt, the rest stays", () => {
    expect(escapeControls("a\u001b[31mred\u0007 ü 中\n\tb")).toBe("a\\x1b[31mred\\x07 ü 中\n\tb");
    expect(escapeControls("\u009b31m \u202etxt\u2069")).toBe("\\x9b31m \\u202etxt\\u2069");
  });

  test("a line keeps to one line and can be told back", () => {
    expect(escapeLine("a\nb\tc\\n\r")).toBe("a\\nb\\tc\\\\n\\x0d");
  });

  test("nothing dangerous is left of any text, and JSON stays the same value", () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCodeUnit }), (text) => {
        expect(escapeControls(text)).not.toMatch(dangerous);
        expect(escapeLine(text)).not.toMatch(dangerous);
        expect(escapeLine(text)).not.toMatch(/[\n\t]/);
        const json = escapeJson(JSON.stringify(text));
        expect(json).not.toMatch(dangerous);
        expect(JSON.parse(json)).toBe(text);
      }),
    );
  });

  test("bytes that are not UTF-8 are spelt", () => {
    expect(bytesToText(new TextEncoder().encode("zwölf"))).toBe("zwölf");
    expect(bytesToText(new Uint8Array([0x61, 0xff, 0x80]))).toBe("a\\xff\\x80");
    // A view into a larger buffer is read from its own start to its own end.
    expect(bytesToText(new Uint8Array([0x78, 0x61, 0x62, 0x78]).subarray(1, 3))).toBe("ab");
  });
});

describe("colours", () => {
  test("only on a terminal, and not against the user's wish", () => {
    expect(paintFor(true, {})("red", "x")).toBe("\u001b[31mx\u001b[39m");
    expect(paintFor(false, {})("red", "x")).toBe("x");
    expect(paintFor(true, { NO_COLOR: "1" })("red", "x")).toBe("x");
    expect(paintFor(true, { TERM: "dumb" })("red", "x")).toBe("x");
  });
});
