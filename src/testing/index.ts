/**
 * The conformance suite: the contract of a `Store` as tests, for Kvasir's own backends and for those of others.
 * @module
 */
export type { Ability, Factory, Fixture, SuiteStoreOptions, Timing } from "./fixture.js";
export { inNamespace } from "./namespaced.js";
export type { FastCheck } from "./properties/fast-check.js";
export { type CaseResult, type SuiteReport, writeReport } from "./report.js";
export { countCases, storeSuite, type StoreSuiteOptions, type TestFunction } from "./suite.js";
