import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allPages, programOf, readPage } from "./markdown.js";
import { promisedLines, runProgram } from "./run-program.js";

const programs = allPages().flatMap((page) => {
  const program = programOf(page);
  return program === undefined ? [] : [{ name: page.name, program }];
});

describe("programs in the documentation", () => {
  const before = process.cwd();
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "kvasir-docs-"));
    process.chdir(folder);
  });

  afterEach(async () => {
    process.chdir(before);
    await rm(folder, { recursive: true });
  });

  it("has a tour in the README", () => {
    expect(promisedLines(programOf(readPage("README.md")) ?? "").length).toBeGreaterThan(10);
  });

  it.each(programs)("$name prints what its comments say", async ({ program }) => {
    expect(await runProgram(program)).toEqual(promisedLines(program));
  });
});
