import { positiveInteger } from "../core/arguments.js";
import type { CallOptions, Store } from "../core/store.js";
import { checked } from "./checked.js";
import { createCounter, type Counter, defaultTimeoutMs } from "./counter.js";
import { withDeadline } from "./deadline.js";
import { unlessAborted } from "./linked-signal.js";

export interface SequenceOptions {
  /**
   * How many numbers to take from the store at a time. Default 1: numbers are given in the order of time, whoever asks.
   * More are faster; then each process has numbers of its own to give, and those it has left when it ends are lost.
   */
  block?: number | undefined;
}

/** Numbers that are given once, from 1, among all clients of the server. */
export interface Sequence {
  readonly key: string;
  /** The next number. Grows from call to call in one object. Rejects as `Counter.add` does; a number may then be lost. */
  next(options?: CallOptions): Promise<bigint>;
}

/** Numbers from a counter at `key`: each is given to one caller, and none twice. */
export function createSequence(store: Store, key: string, options: SequenceOptions = {}): Sequence {
  const block = checked({ backend: store.backend, key }, () => positiveInteger("block", options.block)) ?? 1;
  const counter = createCounter(store, key);
  return block === 1 ? new PlainSequence(counter) : new BlockSequence(store, counter, BigInt(block));
}

class PlainSequence implements Sequence {
  readonly #counter: Counter;

  constructor(counter: Counter) {
    this.#counter = counter;
  }

  get key(): string {
    return this.#counter.key;
  }

  next(options?: CallOptions): Promise<bigint> {
    return this.#counter.add(1n, options);
  }
}

class BlockSequence implements Sequence {
  readonly #store: Store;
  readonly #counter: Counter;
  readonly #size: bigint;
  /** The number to give next and the last of the block. */
  #next = 1n;
  #last = 0n;
  #refill: Promise<void> | undefined;

  constructor(store: Store, counter: Counter, size: bigint) {
    this.#store = store;
    this.#counter = counter;
    this.#size = size;
  }

  get key(): string {
    return this.#counter.key;
  }

  async next(options?: CallOptions): Promise<bigint> {
    const subject = { backend: this.#store.backend, key: this.key, waitsFor: "the wait for the next block" };
    return (
      this.#take() ??
      withDeadline(subject, { timeoutMs: defaultTimeoutMs, ...options }, async (signal) => {
        for (;;) {
          await unlessAborted(this.#refilled(), signal);
          // Whoever waited longer may have taken the whole block.
          const number = this.#take();
          if (number !== undefined) return number;
        }
      })
    );
  }

  /** Looks and takes in one step: between the two nobody else may run. */
  #take(): bigint | undefined {
    return this.#next > this.#last ? undefined : this.#next++;
  }

  /** One block at a time is fetched, for all who wait. */
  #refilled(): Promise<void> {
    this.#refill ??= this.#fetch().finally(() => {
      this.#refill = undefined;
    });
    return this.#refill;
  }

  async #fetch(): Promise<void> {
    const last = await this.#counter.add(this.#size);
    this.#next = last - this.#size + 1n;
    this.#last = last;
  }
}
