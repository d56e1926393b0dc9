import type { CallOptions, ReadOptions, WatchOptions } from "../core/store.js";
import type { HealthCheck } from "./health-check.js";
import type { InvalidValueError } from "./invalid-value-error.js";

/** One running copy of a service, as it stands in the store. */
export interface Instance {
  readonly service: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** Whatever else clients should know, such as a zone or a version. */
  readonly meta: Readonly<Record<string, string>>;
  /** Unique for each registration: another one under the same id, after a restart, has another. Empty where unknown. */
  readonly incarnation: string;
}

export interface RegisterOptions extends CallOptions {
  /** The service's name: one segment of a key. */
  service: string;
  /** One of its instances: one segment of a key. Default: `address:port`. A registration replaces one of the same id. */
  id?: string | undefined;
  /** Where clients reach it: a host name or an IP address. */
  address: string;
  port: number;
  meta?: Readonly<Record<string, string>> | undefined;
  /** How long the entry stays when the process is no longer heard of, in milliseconds. Default 15,000. */
  ttlMs?: number | undefined;
  /** The entry is there only while this succeeds. Default: none, the entry is there while the process lives. */
  check?: HealthCheck | undefined;
}

/**
 * `registered`: the entry is in the store and renewed. `withdrawn`: the health check fails. `missing`: it should be there
 * and is not, or that is not known; it is being put again. `replaced`: another registration took the id; nothing more is
 * done. `closed`: deregistered, or ended with the store.
 */
export type RegistrationState = "registered" | "withdrawn" | "missing" | "replaced" | "closed";

export interface RegistrationChange {
  readonly state: RegistrationState;
  readonly previous: RegistrationState;
  /** Why, where there is a reason: what the check or the store said. */
  readonly reason?: Error | undefined;
}

/** An instance that is kept registered. Keeps the process alive until it is deregistered, or its store closed. */
export interface Registration {
  readonly instance: Instance;
  /** The key of its entry. */
  readonly key: string;
  /** What ttl took effect, in milliseconds; what was asked for, until the entry has been put. */
  readonly ttlMs: number;
  readonly state: RegistrationState;
  onStateChange(listener: (change: RegistrationChange) => void): () => void;
  /**
   * Takes the entry away. Rejects when that could not be done in time (`timeoutMs`, default 5,000); it is tried on
   * until it is done, or the store is closed.
   */
  deregister(options?: CallOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The instances of a service at one moment, and what changed since the item before. */
export interface ServiceChange {
  /** All of them, sorted by id. */
  readonly instances: readonly Instance[];
  readonly joined: readonly Instance[];
  readonly left: readonly Instance[];
  /** Those whose address, port, meta or incarnation is another, as they are now. */
  readonly changed: readonly Instance[];
}

/**
 * `round-robin`: one after the other, in the order of ids. `random`: any. `least-recently-failed`: the one whose last
 * failure, as `reportFailure` told it, lies longest ago; one after the other among those without a recent failure.
 */
export type PickStrategy = "round-robin" | "random" | "least-recently-failed";

export interface DiscoveryOptions {
  /** Where services are kept: the entry of an instance is `<directory>/<service>/<id>`. Default `services`. */
  directory?: string | undefined;
  /**
   * Deregisters everything when one of these signals comes. Where the program has no handler of its own for it, the
   * process then ends by that signal, as it would have at once. Default: none.
   */
  deregisterOn?: readonly NodeJS.Signals[] | undefined;
  /** How long a failure counts for `least-recently-failed`, in milliseconds. Default 30,000. */
  failureMemoryMs?: number | undefined;
  /** Told of entries that another program wrote and that are no instances; they are left out. */
  onInvalid?: ((error: InvalidValueError) => void) | undefined;
}

/** Who is there, and where. Made by `createDiscovery`. */
export interface Discovery {
  /**
   * Enters an instance and keeps it entered: renewed, and put again when the store lost it. With a check, resolves when
   * the first one is done, whether or not it succeeded. Rejects when the store could not be reached.
   */
  register(options: RegisterOptions): Promise<Registration>;
  /** The names of all services that have an instance, sorted. */
  services(options?: ReadOptions): Promise<string[]>;
  /** The instances of a service, sorted by id. */
  instances(service: string, options?: ReadOptions): Promise<Instance[]>;
  /** First all instances, then each change. Goes on through outages. */
  watch(service: string, options?: WatchOptions): AsyncIterable<ServiceChange>;
  /**
   * One instance, or `undefined` when there is none. The first pick of a service waits for its first state; from then on
   * it is watched, and picks answer from memory, during an outage with what was known last.
   */
  pick(service: string, strategy?: PickStrategy): Promise<Instance | undefined>;
  /** Tells `least-recently-failed` that this instance did not do its work. */
  reportFailure(instance: Instance): void;
  /** Deregisters everything that this object registered and ends its watches. The store stays open. */
  close(options?: CallOptions): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
