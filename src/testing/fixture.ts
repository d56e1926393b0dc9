import type { Store } from "../core/store.js";

/** What the suite asks of a store beyond the defaults. A fixture passes these on to whatever opens its stores. */
export interface SuiteStoreOptions {
  /** How many calls may be pending before the next is `BUSY`. */
  maxPending?: number | undefined;
  /** How long a call may take, in milliseconds, when it does not say so itself. */
  timeoutMs?: number | undefined;
}

/** How time passes for a fixture's stores. */
export interface Timing {
  /** A short ttl that the backend takes as it is, in milliseconds: the cases about ttls wait for a few of these. */
  readonly ttlMs: number;
  /** How long something that should happen at once may take, in milliseconds, before a case fails. Default 5,000. */
  readonly patienceMs?: number | undefined;
  /** For stores whose clock is turned by hand: lets this many milliseconds pass for all stores of the fixture. */
  advance?(ms: number): Promise<void>;
}

/** A store on data of its own, empty at first, and what belongs to it. One is made for each case. */
export interface Fixture {
  readonly store: Store;
  readonly timing: Timing;
  /** Another store on the same data, as another process would open it. The suite closes it. */
  another(options?: SuiteStoreOptions): Promise<Store>;
  /** Cuts the connections of the fixture's stores, those of `another` too, so that they become `suspended`. */
  suspend?(): Promise<void>;
  /** Heals what `suspend` cut. */
  resume?(): Promise<void>;
  /** Called once, after the case: closes the store and throws the data away. */
  close(): Promise<void>;
}

/** What a factory can do beyond opening stores. Cases that need more are reported as not run. */
export type Ability =
  /** `suspend` and `resume`. */
  | "suspend"
  /** `another` heeds `SuiteStoreOptions`. */
  | "options";

/** Makes the fixtures of one backend. */
export interface Factory {
  /** The name in the report and in the compatibility table, such as `bolt` or `etcd 3.5`. */
  readonly name: string;
  readonly abilities?: readonly Ability[] | undefined;
  create(): Promise<Fixture>;
}
