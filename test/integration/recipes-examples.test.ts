import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { root } from "../unit/docs/markdown.js";
import { promisedLines, runProgram } from "../unit/docs/run-program.js";

const folder = path.join(root, "examples");

/** The examples that say what they print; those for one server are run with it. */
async function examples(): Promise<Map<string, string>> {
  const programs = new Map<string, string>();
  for (const name of await readdir(folder)) {
    const program = await readFile(path.join(folder, name), "utf8");
    if (promisedLines(program).length > 0) programs.set(name, program);
  }
  return programs;
}

const programs = await examples();

const before = process.cwd();
let workplace: string;

beforeEach(async () => {
  workplace = await mkdtemp(path.join(os.tmpdir(), "kvasir-examples-"));
  process.chdir(workplace);
});

afterEach(async () => {
  process.chdir(before);
  await rm(workplace, { recursive: true });
});

test("there are examples of the recipes", () => {
  expect([...programs.keys()]).toEqual(expect.arrayContaining(["counter.ts", "election.ts", "locks.ts"]));
});

test.each([...programs])("examples/%s prints on a BoltDB file what its comments say, twice", async (_, program) => {
  expect(await runProgram(program)).toEqual(promisedLines(program));
  expect(await runProgram(program), "on the data of the first run").toEqual(promisedLines(program));
});
