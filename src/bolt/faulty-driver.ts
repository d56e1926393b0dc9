import type {
  Acquired,
  Committed,
  Contender,
  Driver,
  DriverHost,
  Lease,
  LeasedPair,
  ListPage,
  ListQuery,
  PutOperation,
  ReadAnswer,
  ReadOperation,
  Request,
  Transaction,
  Upstream,
  WatchScope,
  WatchSink,
  WriteAnswer,
  WriteOperation,
} from "../core/driver.js";
import { type Outcome, StoreError, type StoreErrorCode } from "../core/errors.js";
import type { Consistency } from "../core/store.js";
import type { Clock } from "../util/clock.js";
import type { BucketSession } from "./bucket-session.js";
import type { BoltDriver } from "./driver.js";

/** The calls that can be made to fail. `scan` fails as `list`, `update` as what it is made of, `lock` as `tryLock`. */
export type FailingCall =
  | "get"
  | "exists"
  | "put"
  | "delete"
  | "atomicPut"
  | "atomicDelete"
  | "list"
  | "keys"
  | "deleteTree"
  | "commit"
  | "lock"
  | "ping";

/** How a call is to fail. */
export interface FailureOptions {
  code: StoreErrorCode;
  /** What the error says of a write. Default `not-applied`. */
  outcome?: Outcome | undefined;
  /** Whether a write happens all the same. Default: yes when the outcome is `unknown`. */
  applied?: boolean | undefined;
}

/** The Bolt driver with faults on demand. */
export class FaultyDriver implements Driver {
  readonly backend = "memory";
  readonly endpoint: string;
  readonly capabilities;
  readonly batching;
  readonly #driver: BoltDriver;
  readonly #session: BucketSession;
  readonly #clock: Clock;
  readonly #failures = new Map<FailingCall, FailureOptions[]>();
  readonly #watches = new Set<SuspendableWatch>();
  #host: DriverHost | undefined;
  #suspended = false;

  constructor(driver: BoltDriver, session: BucketSession, clock: Clock) {
    this.#driver = driver;
    this.#session = session;
    this.#clock = clock;
    this.endpoint = driver.endpoint;
    this.capabilities = { ...driver.capabilities, backend: this.backend };
    this.batching = driver.batching;
  }

  suspend(): void {
    this.#suspended = true;
    for (const watch of this.#watches) watch.suspend();
    this.#host?.suspended(this.#unreachable(false));
  }

  resume(): void {
    this.#suspended = false;
    for (const watch of this.#watches) watch.resume();
  }

  failNext(call: FailingCall, failure: FailureOptions): void {
    const failures = this.#failures.get(call) ?? [];
    failures.push(failure);
    this.#failures.set(call, failures);
  }

  loseLease(key: string): Promise<boolean> {
    return this.#session.forceLoss(key, { deadline: this.#clock.now() + 5_000 });
  }

  start(host: DriverHost): void {
    this.#host = host;
    this.#driver.start(host);
  }

  readNow(operation: ReadOperation): { readonly answer: ReadAnswer } | undefined {
    if (this.#suspended || this.#failures.size > 0) return undefined;
    return this.#driver.readNow(operation);
  }

  read(
    operations: readonly ReadOperation[],
    consistency: Consistency,
    request: Request,
  ): Promise<readonly ReadAnswer[]> {
    return this.#answer(
      operations,
      (operation) => operation.type,
      (rest) => this.#driver.read(rest, consistency, request),
      false,
    );
  }

  write(operations: readonly WriteOperation[], request: Request): Promise<readonly WriteAnswer[]> {
    return this.#answer(operations, nameOfWrite, (rest) => this.#driver.write(rest, request), true);
  }

  async putLeased(operation: PutOperation, ttlMs: number, request: Request): Promise<LeasedPair> {
    const put = (): Promise<LeasedPair> => this.#driver.putLeased(operation, ttlMs, request);
    const { pair, lease } = await this.#run(nameOfWrite(operation), true, put);
    return { pair, lease: this.#guard(lease) };
  }

  list(query: ListQuery, request: Request): Promise<ListPage> {
    return this.#run(query.keysOnly ? "keys" : "list", false, () => this.#driver.list(query, request));
  }

  deleteTree(directory: string, request: Request): Promise<number> {
    return this.#run("deleteTree", true, () => this.#driver.deleteTree(directory, request));
  }

  async commit(transaction: Transaction, request: Request): Promise<Committed> {
    const committed = await this.#run("commit", true, () => this.#driver.commit(transaction, request));
    return committed.map(({ pair, lease }) => (lease === undefined ? { pair } : { pair, lease: this.#guard(lease) }));
  }

  watch(scope: WatchScope, sink: WatchSink): Upstream {
    const watch = new SuspendableWatch(sink, (own) => this.#driver.watch(scope, own), this.#suspended);
    this.#watches.add(watch);
    return {
      refresh: () => watch.refresh(),
      close: () => {
        this.#watches.delete(watch);
        watch.close();
      },
    };
  }

  async acquire(contender: Contender, request: Request): Promise<Acquired | undefined> {
    const acquired = await this.#run("lock", true, () => this.#driver.acquire(contender, request));
    return acquired === undefined ? undefined : { ...acquired, lease: this.#guard(acquired.lease) };
  }

  ping(request: Request): Promise<void> {
    return this.#run("ping", false, () => this.#driver.ping(request));
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  /** A lease that cannot be renewed or given back while the store is cut off. */
  #guard(lease: Lease): Lease {
    const check = (): void => {
      if (this.#suspended) throw this.#unreachable(true);
    };
    return {
      ttlMs: lease.ttlMs,
      renew: async (request) => {
        check();
        return lease.renew(request);
      },
      end: async (request) => {
        check();
        return lease.end(request);
      },
      onLost: (listener) => lease.onLost?.(listener) ?? (() => {}),
    };
  }

  async #run<T>(call: FailingCall, write: boolean, run: () => Promise<T>): Promise<T> {
    if (this.#suspended) throw this.#unreachable(write);
    const failure = this.#take(call);
    if (failure === undefined) return run();
    if (isApplied(failure)) await run();
    throw this.#failure(failure, write);
  }

  /** The answers of a batch, the failing operations' among them. */
  async #answer<Operation, Answer>(
    operations: readonly Operation[],
    nameOf: (operation: Operation) => FailingCall,
    run: (operations: Operation[]) => Promise<readonly Answer[]>,
    write: boolean,
  ): Promise<readonly (Answer | StoreError)[]> {
    if (this.#suspended) throw this.#unreachable(write);
    const failures = operations.map((operation) => this.#take(nameOf(operation)));
    const ran = operations.filter((_, at) => isApplied(failures[at]));
    const answers = (await run(ran))[Symbol.iterator]();
    return failures.map((failure) => {
      const answer = isApplied(failure) ? answers.next().value : undefined;
      return failure === undefined ? (answer as Answer) : this.#failure(failure, write);
    });
  }

  #take(call: FailingCall): FailureOptions | undefined {
    const failures = this.#failures.get(call);
    const failure = failures?.shift();
    if (failures?.length === 0) this.#failures.delete(call);
    return failure;
  }

  #failure({ code, outcome = "not-applied" }: FailureOptions, write: boolean): StoreError {
    const { backend, endpoint } = this;
    return new StoreError(code, "made to fail by failNext()", {
      backend,
      endpoint,
      outcome: write ? outcome : undefined,
    });
  }

  #unreachable(write: boolean): StoreError {
    const { backend, endpoint } = this;
    const outcome = write ? ("not-applied" as const) : undefined;
    return new StoreError("UNREACHABLE", "suspended by suspend()", { backend, endpoint, outcome });
  }
}

/** Whether an operation with this failure, or none, is carried out. */
function isApplied(failure: FailureOptions | undefined): boolean {
  return failure === undefined || (failure.applied ?? failure.outcome === "unknown");
}

function nameOfWrite(operation: WriteOperation): FailingCall {
  if (operation.expected === undefined) return operation.type;
  return operation.type === "put" ? "atomicPut" : "atomicDelete";
}

/** A watch that hears nothing while suspended, and is told the whole state afterwards, as after a reconnect. */
class SuspendableWatch {
  readonly #sink: WatchSink;
  readonly #open: (sink: WatchSink) => Upstream;
  #upstream: Upstream | undefined;

  constructor(sink: WatchSink, open: (sink: WatchSink) => Upstream, suspended: boolean) {
    this.#sink = sink;
    this.#open = open;
    if (!suspended) this.resume();
  }

  suspend(): void {
    this.#upstream?.close();
    this.#upstream = undefined;
  }

  resume(): void {
    this.#upstream ??= this.#open(this.#sink);
  }

  refresh(): void {
    this.#upstream?.refresh();
  }

  close(): void {
    this.suspend();
  }
}
