import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linesOf } from "../../../src/cli/lines.js";

async function* chunksOf(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let start = 0;
  for (const cut of [...cuts].sort((left, right) => left - right)) {
    const end = Math.min(cut, bytes.length);
    yield bytes.subarray(start, end);
    start = end;
  }
  yield bytes.subarray(start);
}

async function read(text: string, cuts: readonly number[]): Promise<[number, string][]> {
  const lines: [number, string][] = [];
  for await (const batch of linesOf(chunksOf(text, cuts))) {
    for (const { number, bytes } of batch) lines.push([number, Buffer.from(bytes).toString()]);
  }
  return lines;
}

describe("lines of a stream", () => {
  test("are numbered from 1; the last needs no newline", async () => {
    expect(await read("a\n\nbc", [])).toEqual([
      [1, "a"],
      [2, ""],
      [3, "bc"],
    ]);
    expect(await read("a\n", [])).toEqual([[1, "a"]]);
    expect(await read("", [])).toEqual([]);
  });

  test("are the same wherever the chunks are cut, in the middle of a character too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme" }).map((line) => line.replaceAll("\n", ""))),
        fc.array(fc.nat(200)),
        async (lines, cuts) => {
          const read1 = await read(lines.map((line) => `${line}\n`).join(""), cuts);
          expect(read1).toEqual(lines.map((line, index) => [index + 1, line]));
        },
      ),
    );
  });
});
