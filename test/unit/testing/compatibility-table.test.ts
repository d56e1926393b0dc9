import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, test } from "vitest";
import { type CaseResult, type SuiteReport, writeReport } from "../../../src/testing/index.js";
import { modelCapabilities } from "./model/driver.js";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kvasir-table-"));
  await mkdir(join(folder, "results"));
  const empty = "before\n<!-- compatibility:start --><!-- compatibility:end -->\nafter\n";
  await writeFile(join(folder, "docs.md"), empty);
  await writeFile(join(folder, "readme.md"), empty);
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs the script on the folder; what it prints. Rejects when it fails. */
async function run(...flags: string[]): Promise<string> {
  const paths = [
    "--results",
    join(folder, "results"),
    "--docs",
    join(folder, "docs.md"),
    "--readme",
    join(folder, "readme.md"),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [
    "scripts/compatibility-table.mjs",
    ...paths,
    ...flags,
  ]);
  return stdout;
}

/** What a run of a suite of three cases leaves behind. */
function report(name: string, changes: Partial<SuiteReport> = {}, last: CaseResult["status"] = "passed"): void {
  const result = (group: string, name: string, status: CaseResult["status"]): CaseResult => ({
    group,
    name,
    status,
    reason: status === "not-run" ? "it is too far away" : undefined,
    elapsedMs: 1,
  });
  const results = [result("put", "a", "passed"), result("put", "b", "passed"), result("close", "c", last)];
  writeReport(join(folder, "results"))({
    name,
    namespaced: false,
    capabilities: modelCapabilities,
    results,
    cases: 3,
    ...changes,
  });
}

const docs = (): Promise<string> => readFile(join(folder, "docs.md"), "utf8");

test("writes a column for each backend, with what passed, failed and was not run", async () => {
  report("etcd", {}, "failed");
  report("bolt");
  report("bolt", { namespaced: true }, "not-run");
  report("other", {}, "not-run");
  await run();
  const text = await docs();
  assert.match(text, /^before\n/);
  assert.match(text, /after\n$/);
  assert.match(text, /\| cases +\| bolt +\| etcd +\| other +\|/);
  assert.match(text, /\| put +\| ✓ 2 +\| ✓ 2 +\| ✓ 2 +\|/);
  assert.match(text, /\| close +\| ✓ 1 +\| \*\*1 of 1 fail\*\* +\| not run: it is too far away +\|/);
  assert.match(text, /\| all of these in a namespace +\| ✓ 2, 1 not run +\|/);
  assert.match(text, /\| shortest ttl +\| 10 ms +\| 10 ms +\| 10 ms +\|/);
  assert.match(await readFile(join(folder, "readme.md"), "utf8"), /\| put +\| ✓ 2 +\|/);
});

test("--check passes when nothing changed and fails when something did", async () => {
  report("bolt");
  await run();
  await run("--check");
  report("bolt", {}, "failed");
  const before = await docs();
  await assert.rejects(run("--check"), /out of date/);
  assert.equal(await docs(), before);
});

test("a backend that was not tested keeps its column, unless told to start afresh", async () => {
  report("bolt");
  report("etcd");
  await run();
  await rm(join(folder, "results", "etcd.json"));
  await run("--check");
  await run("--fresh");
  assert.doesNotMatch(await docs(), /etcd/);
});

test("results of a run that was cut short are refused", async () => {
  report("bolt", { cases: 4 });
  await assert.rejects(run(), /3 of 4 cases/);
});

test("without any results it fails", async () => {
  await assert.rejects(run("--check"), /no results/);
});
