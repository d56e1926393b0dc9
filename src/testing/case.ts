import type { Capabilities } from "../core/capabilities.js";
import type { Store } from "../core/store.js";
import type { FastCheck } from "./properties/fast-check.js";
import type { Ability, SuiteStoreOptions, Timing } from "./fixture.js";

/** What a case gets to work with. */
export interface CaseContext {
  readonly store: Store;
  readonly capabilities: Capabilities;
  readonly timing: Timing;
  readonly patienceMs: number;
  readonly another: (options?: SuiteStoreOptions) => Promise<Store>;
  readonly suspend: () => Promise<void>;
  readonly resume: () => Promise<void>;
  /** Waits until this much time has passed for the stores: turns their clock where it is turned by hand. */
  readonly pass: (ms: number) => Promise<void>;
  /** The promise, or a failure that says what did not happen when it takes longer than the fixture's patience. */
  readonly within: <T>(promise: Promise<T>, what: string, extraMs?: number) => Promise<T>;
  /** The fast-check the author brought. Only cases that need it may ask. */
  readonly fc: FastCheck;
}

/** One promise of the contract, as a program that fails when it is broken. */
export type Case = (context: CaseContext) => Promise<void>;

/** Cases about one thing. */
export interface CaseGroup {
  readonly name: string;
  /** What the cases need from the factory, or from the caller of the suite. */
  readonly needs?: Ability | "fast-check" | undefined;
  /** Whether most of their time is waiting for a ttl, so that running them side by side is worth it. */
  readonly waits?: boolean | undefined;
  readonly cases: Readonly<Record<string, Case>>;
}
