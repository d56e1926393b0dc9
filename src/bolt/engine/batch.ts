import { createDeferred } from "../../util/deferred.js";
import type { WriteTx } from "./tx.js";

/** At most this many calls share one transaction. */
const maxCalls = 1_000;

interface Call {
  readonly fn: (tx: WriteTx) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

/** One call threw after it had changed something: the transaction is undone and run again without it. */
class CallFailed {
  readonly call: Call;
  readonly reason: unknown;

  constructor(call: Call, reason: unknown) {
    this.call = call;
    this.reason = reason;
  }
}

/** Gathers concurrent writes: those that come while one transaction syncs share the next. */
export class Batcher {
  readonly #update: (fn: (tx: WriteTx) => void) => Promise<void>;
  #calls: Call[] = [];
  #running = false;

  constructor(update: (fn: (tx: WriteTx) => void) => Promise<void>) {
    this.#update = update;
  }

  add<T>(fn: (tx: WriteTx) => T): Promise<T> {
    const result = createDeferred<T>();
    this.#calls.push({
      fn,
      resolve: (value) => result.resolve(value as T),
      reject: (reason) => result.reject(reason),
    });
    if (!this.#running) {
      this.#running = true;
      // Not at once, so that calls of the same turn come along.
      setImmediate(() => void this.#run());
    }
    return result.promise;
  }

  async #run(): Promise<void> {
    while (this.#calls.length > 0) {
      await this.#commit(this.#calls.splice(0, maxCalls));
      // The callers just answered get to ask again before the next transaction starts.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#running = false;
  }

  async #commit(calls: Call[]): Promise<void> {
    let left = calls;
    while (left.length > 0) {
      const done: { call: Call; value: unknown }[] = [];
      const refused: { call: Call; reason: unknown }[] = [];
      try {
        await this.#update((tx) => runAll(tx, left, done, refused));
        for (const { call, value } of done) call.resolve(value);
        for (const { call, reason } of refused) call.reject(reason);
        return;
      } catch (thrown) {
        if (!(thrown instanceof CallFailed)) {
          for (const call of left) call.reject(thrown);
          return;
        }
        thrown.call.reject(thrown.reason);
        left = left.filter((call) => call !== thrown.call);
      }
    }
  }
}

function runAll(
  tx: WriteTx,
  calls: readonly Call[],
  done: { call: Call; value: unknown }[],
  refused: { call: Call; reason: unknown }[],
): void {
  for (const call of calls) {
    const before = tx.changes;
    try {
      done.push({ call, value: call.fn(tx) });
    } catch (reason) {
      // A call that threw before it changed anything need not disturb the others.
      if (tx.changes !== before) throw new CallFailed(call, reason);
      refused.push({ call, reason });
    }
  }
}
