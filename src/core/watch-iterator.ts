import { createDeferred, type Deferred } from "../util/deferred.js";
import { holdProcess } from "../util/process-hold.js";
import type { Signals } from "./signals.js";

/** Where an iterator gets its items from. */
export interface WatchSource<Item> {
  /** Begins the watch; called at the first `next()`. Items are announced with `wake()`. */
  start(): void;
  /** The next item, with everything pending in it, or `undefined` when there is none now. */
  take(): { readonly item: Item } | undefined;
  /** The consumer left or the watch is over. */
  stop(): void;
}

/**
 * The iterator of one `for await` over a watch, built by hand: unlike an async generator's, its `return()` settles at
 * once while a `next()` is pending. Items wait in the source, conflated, until they are asked for.
 */
export class WatchIterator<Item> implements AsyncIterator<Item, undefined> {
  readonly #source: WatchSource<Item>;
  readonly #signal: AbortSignal | undefined;
  readonly #signals: Signals;
  readonly #waiting: Deferred<IteratorResult<Item, undefined>>[] = [];
  #state: "new" | "running" | "over" = "new";
  #letProcessGo: (() => void) | undefined;
  /** What the consumer is still to be thrown, once. */
  #failure: { readonly reason: unknown } | undefined;

  constructor(
    createSource: (iterator: WatchIterator<Item>) => WatchSource<Item>,
    signal: AbortSignal | undefined,
    signals: Signals,
  ) {
    this.#source = createSource(this);
    this.#signal = signal;
    this.#signals = signals;
  }

  next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#state === "new") this.#start();
    if (this.#state === "over") return this.#afterEnd();
    const ready = this.#waiting.length === 0 ? this.#source.take() : undefined;
    if (ready !== undefined) return Promise.resolve({ done: false, value: ready.item });
    const waiting = createDeferred<IteratorResult<Item, undefined>>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  return(): Promise<IteratorResult<Item, undefined>> {
    this.#failure = undefined;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The source has something: hand it to whoever waits. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const ready = this.#source.take();
      if (ready === undefined) return;
      this.#waiting.shift()!.resolve({ done: false, value: ready.item });
    }
  }

  /** The watch is over: the loop ends after what is pending was given up. */
  end(): void {
    if (!this.#finish()) return;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ done: true, value: undefined });
  }

  /** The watch cannot go on: the loop throws. */
  fail(reason: unknown): void {
    if (!this.#finish()) return;
    const [first, ...rest] = this.#waiting.splice(0);
    if (first === undefined) this.#failure = { reason };
    else first.reject(reason);
    for (const waiting of rest) waiting.resolve({ done: true, value: undefined });
  }

  #start(): void {
    this.#state = "running";
    if (this.#signal?.aborted === true) {
      this.fail(this.#signal.reason);
      return;
    }
    if (this.#signal !== undefined) this.#signals.listen(this.#signal, this.#onAbort);
    this.#letProcessGo = holdProcess();
    try {
      this.#source.start();
    } catch (error) {
      this.fail(error);
    }
  }

  #afterEnd(): Promise<IteratorResult<Item, undefined>> {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure.reason);
    return Promise.resolve({ done: true, value: undefined });
  }

  #finish(): boolean {
    if (this.#state === "over") return false;
    const wasRunning = this.#state === "running";
    this.#state = "over";
    if (this.#signal !== undefined) this.#signals.unlisten(this.#signal, this.#onAbort);
    this.#letProcessGo?.();
    if (wasRunning) this.#source.stop();
    return true;
  }

  readonly #onAbort = (): void => this.fail(this.#signal!.reason);
}
