import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "vitest";
import { storeSuite } from "../../../src/testing/index.js";
import { modelFactory } from "./model/factory.js";
import { mutants } from "./mutants.js";

const patienceMs = 250;

/** The cases of the suite, by `group: case`. */
function casesOf(options: Parameters<typeof modelFactory>[0]): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>();
  const factory = modelFactory({ timing: { patienceMs, ttlMs: 150 }, ...options });
  const collect = (name: string, fn: () => Promise<void>): void => {
    cases.set(name.slice(name.indexOf(": ") + 2), fn);
  };
  storeSuite({ test: collect, factory, fc });
  return cases;
}

/** The one case whose name begins so. */
function caseNamed(cases: ReadonlyMap<string, () => Promise<void>>, beginning: string): () => Promise<void> {
  const found = [...cases].filter(([name]) => name.startsWith(beginning));
  assert.equal(found.length, 1, `${found.length} cases begin with ${beginning}`);
  return found[0]![1];
}

for (const [name, { caughtBy, ...options }] of Object.entries(mutants)) {
  test(`the suite notices that ${name}`, async () => {
    await caseNamed(casesOf({}), caughtBy)();
    await assert.rejects(caseNamed(casesOf(options), caughtBy)(), `no failure: ${caughtBy}`);
  });
}
