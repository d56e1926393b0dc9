import type { Request } from "../core/driver.js";
import type { Clock } from "../util/clock.js";
import type { EtcdCallOptions, EtcdClient } from "./client/index.js";
import { storeError } from "./errors.js";
import type { KeySpace } from "./key-space.js";

/** How long a call may take whose request has no deadline, such as the wait for a lock, in milliseconds. */
const unboundedCallMs = 5_000;

export type ClusterParts = Pick<Cluster, "client" | "keys" | "clock" | "endpoint" | "checksPermissions">;

/** What every part of the driver works with: the client, where the keys lie, and how a request becomes a call. */
export class Cluster {
  readonly client: EtcdClient;
  readonly keys: KeySpace;
  readonly clock: Clock;
  /** The endpoints for messages, without credentials. */
  readonly endpoint: string;
  /** The store has an identity, by password or certificate, and the server may refuse it some keys. */
  readonly checksPermissions: boolean;
  #revision: Promise<bigint> | undefined;

  constructor(parts: ClusterParts) {
    const { client, keys, clock, endpoint, checksPermissions } = parts;
    this.client = client;
    this.keys = keys;
    this.clock = clock;
    this.endpoint = endpoint;
    this.checksPermissions = checksPermissions;
  }

  /** The bounds of a call. */
  bounds({ deadline, signal }: Request): EtcdCallOptions {
    const leftMs = deadline - this.clock.now();
    return { timeoutMs: leftMs === Number.POSITIVE_INFINITY ? unboundedCallMs : Math.max(leftMs, 1), signal };
  }

  /** Runs a call that changes nothing; what it throws is the store's error. */
  async reading<T>(request: Request, call: (bounds: EtcdCallOptions) => Promise<T>): Promise<T> {
    try {
      return await call(this.bounds(request));
    } catch (error) {
      throw storeError(error, this.endpoint, false);
    }
  }

  /** Runs a call that writes; what it throws is the store's error, with an outcome. */
  async writing<T>(request: Request, call: (bounds: EtcdCallOptions) => Promise<T>): Promise<T> {
    try {
      return await call(this.bounds(request));
    } catch (error) {
      throw storeError(error, this.endpoint, true);
    }
  }

  /** A linearizable read of as little as possible. The key is one that no store has. */
  probe(bounds: EtcdCallOptions): Promise<bigint> {
    const key = this.keys.encode(".");
    return this.client.kv.range({ key, countOnly: true }, bounds).then(({ header }) => header!.revision);
  }

  /** The cluster's present revision; those who ask at the same time share the answer. */
  revision(): Promise<bigint> {
    this.#revision ??= this.probe({}).finally(() => {
      this.#revision = undefined;
    });
    return this.#revision;
  }
}
