import type { BatchLimits } from "./driver.js";

/** How a batcher sends, and what it may put together. */
export interface BatcherOptions<Item> {
  readonly limits: BatchLimits;
  /** The bytes an item adds to a batch. */
  readonly weigh: (item: Item) => number;
  /** Whether the item still wants an answer; others are dropped unsent. */
  readonly isLive: (item: Item) => boolean;
  /** Sends a batch; settles every item itself. Resolves when the slot is free again, and never rejects. */
  readonly run: (items: Item[]) => Promise<void>;
}

/**
 * Natural batching. With nothing in flight an item leaves at the end of the current turn of the event loop; while a
 * batch is in flight items queue, and leave together when its slot frees, or through another slot once the batch
 * is full. Where `enough` come whenever a slot frees, as from many callers who each wait for an answer, so many need not
 * wait, and twice as many are two batches: server and client work at the same time then.
 */
export class Batcher<Item> {
  readonly #limits: BatchLimits;
  readonly #weigh: (item: Item) => number;
  readonly #isLive: (item: Item) => boolean;
  readonly #run: (items: Item[]) => Promise<void>;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #inFlight = 0;
  /** How many came since the last look at the queue, and whether a slot became free. */
  #added = 0;
  #freed = false;
  #underLoad = false;
  #scheduled = false;
  #paused = false;

  constructor(options: BatcherOptions<Item>) {
    this.#limits = options.limits;
    this.#weigh = options.weigh;
    this.#isLive = options.isLive;
    this.#run = options.run;
  }

  add(item: Item): void {
    this.#queue.push(item);
    this.#added++;
    this.#queuedBytes += this.#weigh(item);
    if (!this.#paused && this.#maySend()) this.#schedule();
  }

  /** Takes an item back that was not sent yet. */
  remove(item: Item): void {
    const at = this.#queue.indexOf(item);
    if (at < 0) return;
    this.#queue.splice(at, 1);
    this.#queuedBytes -= this.#weigh(item);
  }

  /** Holds everything back until `resume()`. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flush();
  }

  #maySend(): boolean {
    if (this.#queue.length === 0) return false;
    if (this.#inFlight === 0) return true;
    const { concurrency, maxBytes } = this.#limits;
    return this.#inFlight < concurrency && (this.#queue.length >= this.#leastFull() || this.#queuedBytes >= maxBytes);
  }

  /** How many need not wait for a batch under way. */
  #leastFull(): number {
    const { enough, maxOperations } = this.#limits;
    return this.#underLoad && enough !== undefined ? Math.min(enough, maxOperations) : maxOperations;
  }

  /** How many to send together of those that wait. */
  #nextSize(): number {
    const waiting = this.#queue.length;
    const { maxOperations } = this.#limits;
    if (!this.#underLoad || waiting < 2 * this.#leastFull()) return maxOperations;
    return Math.ceil(waiting / Math.max(Math.ceil(waiting / maxOperations), 2));
  }

  /** Not before the microtasks are done: until then those whose calls were just answered make their next ones. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#freed || this.#inFlight === 0) {
      this.#underLoad = this.#freed && this.#added >= (this.#limits.enough ?? Number.POSITIVE_INFINITY);
    }
    this.#freed = false;
    this.#added = 0;
    while (!this.#paused && this.#maySend()) {
      const batch = this.#take();
      if (batch.length === 0) continue;
      this.#inFlight++;
      void this.#run(batch).then(this.#freeSlot);
    }
  };

  readonly #freeSlot = (): void => {
    this.#inFlight--;
    this.#freed = true;
    this.#schedule();
  };

  #take(): Item[] {
    const { maxBytes } = this.#limits;
    const most = this.#nextSize();
    const batch: Item[] = [];
    let bytes = 0;
    let taken = 0;
    for (const item of this.#queue) {
      const weight = this.#weigh(item);
      if (this.#isLive(item)) {
        if (batch.length > 0 && bytes + weight > maxBytes) break;
        batch.push(item);
        bytes += weight;
      }
      taken++;
      this.#queuedBytes -= weight;
      if (batch.length >= most) break;
    }
    this.#queue.splice(0, taken);
    return batch;
  }
}
