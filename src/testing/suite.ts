import type { Capabilities } from "../core/capabilities.js";
import type { CaseGroup } from "./case.js";
import { allGroups } from "./cases.js";
import type { Factory } from "./fixture.js";
import { inNamespace } from "./namespaced.js";
import type { FastCheck } from "./properties/fast-check.js";
import type { CaseResult, SuiteReport } from "./report.js";
import { runCase } from "./run-case.js";

/** `test` of vitest, node:test or mocha (`it`): registers one case. */
export type TestFunction = (name: string, fn: () => Promise<void>) => unknown;

export interface StoreSuiteOptions {
  test: TestFunction;
  factory: Factory;
  /** Registers the cases that mostly wait for a ttl; vitest's `test.concurrent` makes them wait together. Default `test`. */
  concurrently?: TestFunction | undefined;
  /** The fast-check module, for the property tests; without it they are reported as not run. */
  fc?: FastCheck | undefined;
  /** Runs the same cases on `store.namespace(…)`. Default false. */
  namespaced?: boolean | undefined;
  /** Why this backend is not tested here and now, such as a server that is not installed. Nothing runs then. */
  skipReason?: string | undefined;
  /** Called after each case with all results so far. */
  report?: ((report: SuiteReport) => void) | undefined;
}

/**
 * The contract of a `Store` as a list of tests. Each case gets a fixture of its own from the factory, so cases depend
 * neither on each other nor on their order. What a backend does differently is asked from `store.capabilities` and
 * checked as such; no case is left out without a word.
 *
 * ```ts
 * import { storeSuite } from "kvasir/testing";
 * import { test } from "vitest";
 * storeSuite({ test, factory: { name: "mine", create: async () => ({ store, another, timing: { ttlMs: 1_000 }, close }) } });
 * ```
 */
export function storeSuite(options: StoreSuiteOptions): void {
  const { test, fc, skipReason, namespaced = false } = options;
  const where = namespaced ? `${options.factory.name} in a namespace` : options.factory.name;
  if (skipReason !== undefined) {
    test(`${where}: NOT TESTED: ${skipReason}`, async () => {});
    return;
  }
  const factory = namespaced ? inNamespace(options.factory) : options.factory;
  const recorder = new Recorder(options.factory.name, namespaced, options.report);

  for (const group of allGroups) {
    const register = group.waits === true ? (options.concurrently ?? test) : test;
    const missing = whatIsMissing(group, factory, fc);
    for (const [name, run] of Object.entries(group.cases)) {
      if (missing === undefined) {
        register(`${where}: ${group.name}: ${name}`, () =>
          recorder.record(group.name, name, (learn) => runCase(run, factory, fc, learn)),
        );
      } else {
        register(`${where}: ${group.name}: ${name} (NOT RUN: ${missing})`, async () =>
          recorder.notRun(group.name, name, missing),
        );
      }
    }
  }
}

/** What a group needs and nobody gave, in words. */
function whatIsMissing({ needs }: CaseGroup, factory: Factory, fc: FastCheck | undefined): string | undefined {
  if (needs === undefined) return undefined;
  if (needs === "fast-check") return fc === undefined ? "fast-check was not given" : undefined;
  if (factory.abilities?.includes(needs) === true) return undefined;
  return needs === "suspend" ? "the factory cannot cut the connection" : "the factory takes no store options";
}

/** Keeps what became of each case. */
class Recorder {
  readonly #results = new Map<string, CaseResult>();
  readonly #name: string;
  readonly #namespaced: boolean;
  readonly #report: ((report: SuiteReport) => void) | undefined;
  #capabilities: Capabilities | undefined;

  constructor(name: string, namespaced: boolean, report: ((report: SuiteReport) => void) | undefined) {
    this.#name = name;
    this.#namespaced = namespaced;
    this.#report = report;
  }

  async record(
    group: string,
    name: string,
    run: (learn: (capabilities: Capabilities) => void) => Promise<void>,
  ): Promise<void> {
    const startedAt = performance.now();
    const elapsed = (): number => Math.round(performance.now() - startedAt);
    try {
      await run((capabilities) => {
        this.#capabilities = capabilities;
      });
    } catch (error) {
      this.#keep({ group, name, status: "failed", reason: String(error), elapsedMs: elapsed() });
      throw error;
    }
    this.#keep({ group, name, status: "passed", elapsedMs: elapsed() });
  }

  notRun(group: string, name: string, reason: string): void {
    this.#keep({ group, name, status: "not-run", reason, elapsedMs: 0 });
  }

  #keep(result: CaseResult): void {
    this.#results.set(`${result.group}: ${result.name}`, result);
    this.#report?.({
      name: this.#name,
      namespaced: this.#namespaced,
      capabilities: this.#capabilities,
      results: [...this.#results.values()],
      cases: countCases(),
    });
  }
}

/** How many cases the suite has. */
export function countCases(): number {
  return allGroups.reduce((sum, group) => sum + Object.keys(group.cases).length, 0);
}
