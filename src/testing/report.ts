import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Capabilities } from "../core/capabilities.js";

/** What became of one case. */
export interface CaseResult {
  readonly group: string;
  readonly name: string;
  readonly status: "passed" | "failed" | "not-run";
  /** Why it was not run, or how it failed. */
  readonly reason?: string | undefined;
  readonly elapsedMs: number;
}

/** What one run of the suite found out about one backend. */
export interface SuiteReport {
  readonly name: string;
  /** Whether the stores were those of `namespace()`. */
  readonly namespaced: boolean;
  readonly capabilities: Capabilities | undefined;
  /** In the order of the suite; a case that the test runner left out is missing. */
  readonly results: readonly CaseResult[];
  /** How many cases the suite has. */
  readonly cases: number;
}

/**
 * A `report` for `storeSuite` that keeps the newest report as a JSON file in the folder, for
 * `scripts/compatibility-table.mjs` to read.
 */
export function writeReport(folder: string): (report: SuiteReport) => void {
  return (report) => {
    mkdirSync(folder, { recursive: true });
    const name = `${report.name}${report.namespaced ? " in a namespace" : ""}`.replaceAll(/[^\w.]+/g, "-");
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(report, undefined, 2)}\n`);
  };
}
