import { Batcher } from "./batcher.js";
import type { Call } from "./calls.js";
import type { Connectivity } from "./connectivity.js";
import { batchChannel } from "./diagnostics.js";
import type { Driver, ReadOperation, Request, WriteOperation } from "./driver.js";
import { asStoreError, isStoreError, outcomeOfCode, StoreError } from "./errors.js";
import type { Consistency } from "./store.js";
import { type Turn, WriteOrder, type WriteScope } from "./write-order.js";

/**
 * A read or write on its way: the operation and the call that waits for it. Of a class: what a literal makes V8 may come to
 * allocate among its old objects, after a burst of calls, and from then on each item would keep its call and its answer
 * until the next full collection.
 */
class Item<Operation> {
  readonly operation: Operation;
  readonly call: Call;
  readonly turn: Turn | undefined;

  constructor(operation: Operation, call: Call, turn?: Turn) {
    this.operation = operation;
    this.call = call;
    this.turn = turn;
  }
}

/** A guess at what an operation adds to a request beside its key and value, in bytes. */
const overheadBytes = 64;

/**
 * Brings operations to the driver: batched, writes in order, sent again when they surely did nothing, held back while
 * the server cannot be reached.
 */
export class Requests {
  readonly #driver: Driver;
  readonly #connectivity: Connectivity;
  readonly #order = new WriteOrder();
  readonly #reads: Record<Consistency, Batcher<Item<ReadOperation>>>;
  readonly #writes: Batcher<Item<WriteOperation>>;
  readonly #singles = new Set<Promise<void>>();

  constructor(driver: Driver, connectivity: Connectivity, batch: boolean) {
    this.#driver = driver;
    this.#connectivity = connectivity;
    const { reads, writes } = driver.batching;
    const alone = { maxOperations: 1, maxBytes: Number.POSITIVE_INFINITY, concurrency: Number.POSITIVE_INFINITY };
    const reader = (consistency: Consistency): Batcher<Item<ReadOperation>> =>
      this.#batcher(batch ? reads : alone, (items) => this.#runReads(items, consistency));
    this.#reads = { linearizable: reader("linearizable"), stale: reader("stale") };
    this.#writes = this.#batcher(batch ? writes : alone, (items) => this.#runWrites(items));
  }

  /** A get or exists, answered together with others. */
  read(operation: ReadOperation, consistency: Consistency, call: Call): void {
    this.#reads[consistency].add(new Item(operation, call));
  }

  /** A put or delete, sent together with others when the earlier writes to its key are done. */
  write(operation: WriteOperation, call: Call): void {
    this.#order.enter({ keys: [operation.key] }, (turn) => {
      if (call.settled) turn.done();
      else this.#writes.add(new Item(operation, call, turn));
    });
  }

  /**
   * A request of its own, again while it surely did nothing, until the call settles. `scope` puts a write in order.
   * `onLate` takes a result that came when the call had settled without it.
   */
  single<T>(
    call: Call<T>,
    scope: WriteScope | undefined,
    run: (request: Request) => Promise<T>,
    onLate?: (result: T) => Promise<void>,
  ): void {
    if (scope === undefined) {
      this.#track(this.#runSingle(call, run, onLate));
      return;
    }
    this.#order.enter(scope, (turn) => {
      this.#track(this.#runSingle(call, run, onLate).finally(() => turn.done()));
    });
  }

  /** Settles when the requests of their own that are under way, and what followed from them, are over. */
  async settled(): Promise<void> {
    await Promise.all(this.#singles);
  }

  #track(work: Promise<void>): void {
    this.#singles.add(work);
    void work.finally(() => this.#singles.delete(work));
  }

  async #runSingle<T>(
    call: Call<T>,
    run: (request: Request) => Promise<T>,
    onLate: ((result: T) => Promise<void>) | undefined,
  ): Promise<void> {
    const abort = new AbortController();
    const settled = call.onSettled;
    call.onSettled = () => {
      settled?.();
      abort.abort(new StoreError("ABORTED", "nobody waits for the answer any more"));
    };
    while (!call.settled) {
      await Promise.race([this.#connectivity.whenConnected(), call.promise.catch(() => {})]);
      if (call.settled) return;
      call.sent = true;
      call.attempts++;
      try {
        const result = await run({ deadline: call.deadline, signal: abort.signal });
        if (call.settled) await onLate?.(result);
        else call.resolve(result);
      } catch (error) {
        if (this.#maySendAgain(error, call.subject.write)) call.sent = false;
        else call.reject(this.#explain(error, call));
      }
    }
  }

  #batcher<Operation extends ReadOperation | WriteOperation>(
    limits: Driver["batching"]["reads"],
    run: (items: Item<Operation>[]) => Promise<void>,
  ): Batcher<Item<Operation>> {
    const batcher = new Batcher<Item<Operation>>({
      limits,
      run,
      weigh: ({ operation }) => {
        const value = "value" in operation ? operation.value.length : 0;
        return operation.key.length + value + overheadBytes;
      },
      isLive: (item) => !this.#leaveIfSettled(item),
    });
    this.#connectivity.addGate(batcher);
    return batcher;
  }

  #runReads(items: Item<ReadOperation>[], consistency: Consistency): Promise<void> {
    return this.#run("read", items, this.#reads[consistency], (operations, request) =>
      this.#driver.read(operations, consistency, request),
    );
  }

  #runWrites(items: Item<WriteOperation>[]): Promise<void> {
    return this.#run("write", items, this.#writes, (operations, request) => this.#driver.write(operations, request));
  }

  async #run<Operation extends ReadOperation | WriteOperation>(
    type: "read" | "write",
    items: Item<Operation>[],
    queue: Batcher<Item<Operation>>,
    send: (operations: Operation[], request: Request) => Promise<readonly unknown[]>,
  ): Promise<void> {
    const operations: Operation[] = [];
    let deadline = 0;
    for (const item of items) {
      operations.push(item.operation);
      item.call.sent = true;
      item.call.attempts++;
      item.call.batchSize = items.length;
      deadline = Math.max(deadline, item.call.deadline);
    }
    this.#publish(type, items);
    try {
      const answers = await send(operations, { deadline });
      for (const [at, item] of items.entries()) this.#settle(item, answers[at]);
    } catch (error) {
      await this.#failed(error, type, items, queue, send);
    }
  }

  #settle(item: Item<unknown>, answer: unknown): void {
    if (answer instanceof StoreError) item.call.reject(this.#explain(answer, item.call));
    else item.call.resolve(answer);
    item.turn?.done();
  }

  /** The whole batch failed: again if that is safe, each alone if one of them may be to blame, otherwise all fail. */
  async #failed<Operation extends ReadOperation | WriteOperation>(
    error: unknown,
    type: "read" | "write",
    items: Item<Operation>[],
    queue: Batcher<Item<Operation>>,
    send: (operations: Operation[], request: Request) => Promise<readonly unknown[]>,
  ): Promise<void> {
    const live = items.filter((item) => !this.#leaveIfSettled(item));
    if (this.#maySendAgain(error, type === "write")) {
      for (const item of live) {
        item.call.sent = false;
        queue.add(item);
      }
      return;
    }
    const harmless = type === "read" || (isStoreError(error) && error.outcome === "not-applied");
    if (items.length > 1 && harmless && !isStoreError(error, "TIMEOUT")) {
      await Promise.all(live.map((item) => this.#run(type, [item], queue, send)));
      return;
    }
    for (const item of live) {
      item.call.reject(this.#explain(error, item.call));
      item.turn?.done();
    }
  }

  /** Unreachable, and nothing can have happened: the store is suspended, and the calls wait for better times. */
  #maySendAgain(error: unknown, write: boolean): boolean {
    if (!isStoreError(error, "UNREACHABLE")) return false;
    this.#connectivity.suspend(error);
    return !write || error.outcome === "not-applied";
  }

  /** A call that nobody waits for any more is not sent (again), and its key is free for the next. */
  #leaveIfSettled(item: Item<unknown>): boolean {
    if (item.call.settled) item.turn?.done();
    return item.call.settled;
  }

  #explain(error: unknown, call: Pick<Call, "subject" | "outcome">): StoreError {
    const { key, write } = call.subject;
    const { backend, endpoint } = this.#driver;
    const explained = asStoreError(error);
    const outcome = write ? outcomeOfCode(explained.code, call.outcome ?? "unknown") : undefined;
    return explained.with({ backend, endpoint, key: key === "" ? undefined : key, outcome });
  }

  #publish(operation: "read" | "write", items: Item<unknown>[]): void {
    if (!batchChannel.hasSubscribers) return;
    const { backend, endpoint } = this.#driver;
    batchChannel.publish({ operation, backend, endpoint, batchSize: items.length, attempt: items[0]!.call.attempts });
  }
}
