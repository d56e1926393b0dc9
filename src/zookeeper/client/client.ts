import { type Acl } from "./acl.js";
import { AbortLinks } from "./abort-links.js";
import type { SchemeAuth } from "./auth.js";
import { type CreateOptions, type CreateReply, createArgs, createOperation } from "./create.js";
import { BadArgumentsError, UnimplementedError } from "./error-codes.js";
import {
  type MultiOperation,
  type MultiReadOperation,
  type MultiReadResult,
  type MultiReply,
  multiArgs,
  multiOperation,
  multiReadOperation,
} from "./multi.js";
import {
  type AclReply,
  type ChildrenReply,
  type ClientIdentity,
  countDescendantsOperation,
  type DataReply,
  deleteOperation,
  type ExistsReply,
  existsOperation,
  getAclOperation,
  getChildrenOperation,
  getDataOperation,
  getEphemeralsOperation,
  type Operation,
  setAclOperation,
  setDataOperation,
  type StatReply,
  syncOperation,
  whoAmIOperation,
} from "./operations.js";
import type { ResolvedOptions } from "./options.js";
import { checkPath, pathError } from "./paths.js";
import type { ServerLevel } from "./records.js";
import { Request, type RequestOptions } from "./request.js";
import { Session, type StateChange } from "./session.js";
import type { SessionCredentials, SessionState } from "./session-state.js";
import type { Reply } from "./stat.js";
import { countBelow, ephemeralsBelow, readOneByOne } from "./older-servers.js";
import { type OneShotKind, type Watcher, WatchRegistry } from "./watches.js";
import { type PersistentWatchHandle, WatchKeeper } from "./watch-keeper.js";

/** Options of reads that can leave a watch. */
export interface ReadOptions extends RequestOptions {
  /** Called once, when what was read changes; given again, it is one watcher still. */
  readonly watch?: Watcher | undefined;
}

/** Options of changes to what is there. */
export interface VersionOptions extends RequestOptions {
  /** The version the node must have. Default -1: any. */
  readonly version?: number | undefined;
}

/**
 * A ZooKeeper session and its operations. Made by `connect`.
 *
 * Requests are pipelined on one connection, in the order of the calls, and wait for the next connection while there is
 * none. Those on a connection that is lost reject with a `ConnectionLossError`; nothing is ever sent twice. Every error
 * is a `ZooKeeperError`, but for `signal.reason`.
 */
export class ZooKeeperClient {
  readonly #options: ResolvedOptions;
  readonly #registry: WatchRegistry;
  readonly #session: Session;
  readonly #watches: WatchKeeper;
  readonly #abortLinks = new AbortLinks();

  /** @internal Use `connect`. */
  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#registry = new WatchRegistry(options.chroot);
    this.#session = new Session(options.session, this.#registry);
    this.#watches = new WatchKeeper(this.#registry, options.chroot, {
      isConnected: () => this.#session.connection !== undefined,
      setAgain: (paths) => this.#session.setWatchesAgain(paths),
      submit: (operation, args, path, settings) => this.#submit(operation, args, path, settings),
    });
  }

  /** @internal Starts, and waits for the first session. */
  async open(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    this.#session.start();
    await this.#session.opened(this.#options.timeoutMs, signal);
  }

  get state(): SessionState {
    return this.#session.state;
  }

  /** What the present server is known to have; undefined while there is no connection. */
  get serverLevel(): ServerLevel | undefined {
    return this.#session.connection?.level;
  }

  /**
   * Until when no server can have expired the session, on the scale of `clock.now()` (by default `systemClock` of
   * kvasir's util): counted from the sending of the last request or ping that was answered. Minus infinity without one.
   */
  get sessionDeadline(): number {
    return this.#session.deadline;
  }

  /** What another process needs to take the session over (option `session`); undefined without one. Keep it secret. */
  get sessionCredentials(): SessionCredentials | undefined {
    return this.#session.credentials;
  }

  /** Calls the listener at each change of state; the function returned ends that. */
  onStateChange(listener: (change: StateChange) => void): () => void {
    return this.#session.onStateChange(listener);
  }

  /** Creates a node; null data is not the same as empty. */
  create(path: string, data: Uint8Array | null = null, options?: CreateOptions & RequestOptions): Promise<CreateReply> {
    const operation = createOperation(options?.mode ?? "persistent");
    // A sequential node may be named by digits alone: `/queue/` becomes `/queue/0000000000`.
    const sequential = options?.mode?.endsWith("equential") === true;
    const wrong = pathError(sequential && path.endsWith("/") ? `${path}0` : path, operation.name);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#submit(operation, createArgs(path, data, options, this.#options.chroot), path, options);
  }

  /** Deletes a node that has no children. */
  delete(path: string, options?: VersionOptions): Promise<Reply> {
    return this.#onPath(deleteOperation, path, options, (full) => ({ path: full, version: options?.version ?? -1 }));
  }

  /** Whether there is such a node: without, the answer has no `stat`. The watch then waits for its creation. */
  exists(path: string, options?: ReadOptions): Promise<ExistsReply> {
    return this.#read(existsOperation, "exists", path, options);
  }

  getData(path: string, options?: ReadOptions): Promise<DataReply> {
    return this.#read(getDataOperation, "data", path, options);
  }

  setData(path: string, data: Uint8Array | null, options?: VersionOptions): Promise<StatReply> {
    const version = options?.version ?? -1;
    return this.#onPath(setDataOperation, path, options, (full) => ({ path: full, data, version }));
  }

  getChildren(path: string, options?: ReadOptions): Promise<ChildrenReply> {
    return this.#read(getChildrenOperation, "children", path, options);
  }

  getAcl(path: string, options?: RequestOptions): Promise<AclReply> {
    return this.#onPath(getAclOperation, path, options, (full) => ({ path: full }));
  }

  /** Sets the ACL; `version` is that of the ACL (`stat.aversion`). */
  setAcl(path: string, acl: readonly Acl[], options?: VersionOptions): Promise<StatReply> {
    const version = options?.version ?? -1;
    return this.#onPath(setAclOperation, path, options, (full) => ({ path: full, acl, version }));
  }

  /** Lets the server catch up with what the leader had when it got this. Not by itself enough for a linearizable read. */
  sync(path = "/", options?: RequestOptions): Promise<Reply> {
    return this.#onPath(syncOperation, path, options, (full) => ({ path: full }));
  }

  /** Carries out all operations or none; then rejects with a `MultiError` that names the one to blame. */
  multi(operations: readonly MultiOperation[], options?: RequestOptions): Promise<MultiReply> {
    try {
      const args = multiArgs(operations, this.#options.chroot);
      return this.#submit(multiOperation, args, undefined, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Many reads in one request (one by one before 3.6): a result for each, failed ones as `ReadFailure`. */
  async multiRead(operations: readonly MultiReadOperation[], options?: RequestOptions): Promise<MultiReadResult[]> {
    for (const { path } of operations) checkPath(path, "multiRead");
    try {
      const args = { operations, chroot: this.#options.chroot };
      return await this.#submit(multiReadOperation, args, undefined, options);
    } catch (error) {
      if (!(error instanceof UnimplementedError)) throw error;
      return readOneByOne(this, operations, options);
    }
  }

  /** The ephemeral nodes of this session at or below a path (found by walking the tree before 3.6). */
  async getEphemerals(prefix = "/", options?: RequestOptions): Promise<string[]> {
    const { chroot } = this.#options;
    try {
      const paths = await this.#onPath(getEphemeralsOperation, prefix, options, (full) => ({ path: full }));
      return paths.flatMap((path) => chroot.strip(path) ?? []);
    } catch (error) {
      if (!(error instanceof UnimplementedError)) throw error;
      return ephemeralsBelow(this, prefix, options);
    }
  }

  /** How many nodes there are below a path, at any depth (counted by walking the tree before 3.6). */
  async getAllChildrenNumber(path: string, options?: RequestOptions): Promise<number> {
    try {
      return await this.#onPath(countDescendantsOperation, path, options, (full) => ({ path: full }));
    } catch (error) {
      if (!(error instanceof UnimplementedError)) throw error;
      return countBelow(this, path, options);
    }
  }

  /** Whom the server takes this connection for (since 3.7). */
  whoAmI(options?: RequestOptions): Promise<ClientIdentity[]> {
    return this.#submit(whoAmIOperation, undefined, undefined, options);
  }

  /**
   * Watches a node for good (since 3.6), and with `recursive` everything below it: `watcher` is called at each change,
   * and with `rearmed` after each reconnect. Watchers of one path share one watch of the server.
   */
  addWatch(
    path: string,
    watcher: Watcher,
    options?: RequestOptions & { readonly recursive?: boolean | undefined },
  ): Promise<PersistentWatchHandle> {
    const wrong = pathError(path, "addWatch");
    return wrong === undefined ? this.#watches.add(path, watcher, options) : Promise.reject(wrong);
  }

  /**
   * Takes back a watcher given to `getData` and `exists` (kind `data`) or `getChildren` (kind `children`), or without
   * `watcher` all of them; the server's watch is removed with the last one (since 3.5).
   */
  removeWatches(path: string, kind: "data" | "children", watcher?: Watcher, options?: RequestOptions): Promise<void> {
    const wrong = pathError(path, "removeWatches");
    return wrong === undefined ? this.#watches.removeOneShot(path, kind, watcher, options) : Promise.reject(wrong);
  }

  /** Authenticates this connection and all later ones. */
  addAuth(auth: SchemeAuth): Promise<void> {
    return this.#session.addAuth(auth);
  }

  /** Ends the session, on the server too if one can be reached within `closeTimeoutMs`. Later calls reject. */
  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #read<Result>(
    operation: Operation<{ path: string; watch: boolean }, Result>,
    kind: OneShotKind,
    path: string,
    options: ReadOptions | undefined,
  ): Promise<Result> {
    const watcher = options?.watch;
    const makeArgs = (full: string): { path: string; watch: boolean } => ({ path: full, watch: watcher !== undefined });
    if (watcher === undefined) return this.#onPath(operation, path, options, makeArgs);
    const full = this.#options.chroot.add(path);
    if (this.#registry.persistent(full) !== undefined) {
      // Before 3.9 a server remembers one mode per path and connection, and would forget the persistent watch.
      const message = "a persistent watch on the same node tells already what this watch would";
      return Promise.reject(new BadArgumentsError(message, { operation: operation.name, path }));
    }
    this.#registry.arming(full);
    const onAnswer = (code: number): void => this.#registry.answered(kind, full, code, watcher);
    return this.#onPath(operation, path, options, makeArgs, onAnswer).finally(() => this.#registry.armed(full));
  }

  #onPath<Args, Result>(
    operation: Operation<Args, Result>,
    path: string,
    options: RequestOptions | undefined,
    makeArgs: (fullPath: string) => Args,
    onAnswer?: (code: number) => void,
  ): Promise<Result> {
    const wrong = pathError(path, operation.name);
    if (wrong !== undefined) return Promise.reject(wrong);
    return this.#submit(operation, makeArgs(this.#options.chroot.add(path)), path, options, onAnswer);
  }

  #submit<Args, Result>(
    operation: Operation<Args, Result>,
    args: Args,
    path: string | undefined,
    options: RequestOptions | undefined,
    onAnswer?: (code: number) => void,
  ): Promise<Result> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const now = this.#options.session.clock.now();
    const request = new Request(operation, args, path, now + (options?.timeoutMs ?? this.#options.timeoutMs));
    request.onAnswer = onAnswer;
    if (signal !== undefined) request.linkAbort(signal, this.#abortLinks);
    this.#session.submit(request, now);
    return request.promise;
  }
}
