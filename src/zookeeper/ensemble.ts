import type { Request } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import type { Clock } from "../util/clock.js";
import {
  type Acl,
  MultiError,
  type MultiOperation,
  type MultiReply,
  type RequestOptions,
  type SessionInfo,
  type ZooKeeperClient,
} from "./client/index.js";
import { storeError } from "./errors.js";
import { Guards } from "./guards.js";
import { isGuard, type NodePaths } from "./paths.js";
import { RecentKeys } from "./recent-keys.js";

/** How long a call may take whose request has no deadline, such as the wait for a lock, in milliseconds. */
const unboundedCallMs = 5_000;

const checkRoot: readonly MultiOperation[] = [{ type: "check", path: "/", version: -1 }];

export type EnsembleParts = Pick<Ensemble, "client" | "paths" | "clock" | "endpoint" | "acl"> & {
  /** What another of the same store knows, to be shared. */
  readonly shared?: Ensemble | undefined;
};

/** What every part of the driver works with: the client, where the keys lie, and what is known of them. */
export class Ensemble {
  readonly client: ZooKeeperClient;
  readonly paths: NodePaths;
  readonly clock: Clock;
  /** The servers for messages. */
  readonly endpoint: string;
  /** Who may do what with the nodes that the store creates. */
  readonly acl: readonly Acl[];
  readonly guards: Guards;
  readonly recent: RecentKeys;
  /** Keys that this store has put with a ttl: a put without one replaces them. */
  readonly ephemeral: Set<string>;
  /** Sessions of this store that are over: what is left of their nodes is nobody's. */
  readonly pastSessions: Set<bigint>;

  constructor({ client, paths, clock, endpoint, acl, shared }: EnsembleParts) {
    this.client = client;
    this.guards = shared?.guards ?? new Guards();
    this.recent = shared?.recent ?? new RecentKeys();
    this.ephemeral = shared?.ephemeral ?? new Set();
    this.pastSessions = shared?.pastSessions ?? new Set();
    this.paths = paths;
    this.clock = clock;
    this.endpoint = endpoint;
    this.acl = acl;
    client.onStateChange(({ state }) => {
      if (state.name !== "expired") return;
      this.pastSessions.add(state.session.id);
      this.ephemeral.clear();
    });
  }

  /** What was known of a key no longer holds. */
  forget(key: string): void {
    this.recent.delete(key);
    this.ephemeral.delete(key);
  }

  /** The session that new ephemeral nodes get; undefined while there is none. */
  get session(): SessionInfo | undefined {
    const { state } = this.client;
    return state.name === "connected" || state.name === "suspended" ? state.session : undefined;
  }

  /** Calls the listener once when that session is over, at once if it is already; gives an unsubscribe. */
  onSessionLost(session: bigint, listener: (reason: StoreError | undefined) => void): () => void {
    if (this.pastSessions.has(session)) {
      listener(undefined);
      return () => {};
    }
    const stop = this.client.onStateChange(({ state, reason }) => {
      if (state.name !== "expired" || state.session.id !== session) return;
      stop();
      listener(reason && storeError(reason, this.endpoint, false));
    });
    return stop;
  }

  /** The bounds of a call. */
  bounds({ deadline, signal }: Request): RequestOptions {
    const leftMs = deadline - this.clock.now();
    return { timeoutMs: leftMs === Number.POSITIVE_INFINITY ? unboundedCallMs : Math.max(leftMs, 1), signal };
  }

  /** Runs a call that changes nothing; what it throws is the store's error. */
  async reading<T>(request: Request, call: (bounds: RequestOptions) => Promise<T>): Promise<T> {
    try {
      return await call(this.bounds(request));
    } catch (error) {
      throw this.#explain(error, request, false);
    }
  }

  /** Runs a call that writes; what it throws is the store's error, with an outcome. */
  async writing<T>(request: Request, call: (bounds: RequestOptions) => Promise<T>): Promise<T> {
    try {
      return await call(this.bounds(request));
    } catch (error) {
      throw this.#explain(error, request, true);
    }
  }

  /**
   * Makes every read that is sent after it linearizable. A transaction, even one that only checks and even one that is
   * refused, is put in order by the present leader, and the server answers nothing behind it on this connection before it
   * has come as far. A `sync` is not enough: a deposed leader that wakes up answers it by itself.
   */
  async barrier(bounds: RequestOptions): Promise<void> {
    try {
      await this.client.multi(checkRoot, bounds);
    } catch (error) {
      if (!(error instanceof MultiError)) throw error;
    }
  }

  /** A transaction; notes what it tells about guards. */
  async multi(operations: readonly MultiOperation[], bounds: RequestOptions): Promise<MultiReply> {
    const reply = await this.client.multi(operations, bounds);
    for (const [at, result] of reply.results.entries()) {
      const { path } = operations[at]!;
      if (result.type === "setData" && isGuard(path)) this.guards.learn(path, result.stat);
    }
    return reply;
  }

  /** A caller's abort stays what it is. */
  #explain(error: unknown, { signal }: Request, write: boolean): unknown {
    if (signal?.aborted === true && error === signal.reason) return error;
    return storeError(error, this.endpoint, write);
  }
}
