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
 * is full or enough wait.
 */
export class Batcher<Item> {
  readonly #limits: BatchLimits;
  readonly #weigh: (item: Item) => number;
  readonly #isLive: (item: Item) => boolean;
  readonly #run: (items: Item[]) => Promise<void>;
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #inFlight = 0;
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
    return this.#inFlight < concurrency && (this.#queue.length >= this.#enough || this.#queuedBytes >= maxBytes);
  }

  get #enough(): number {
    const { enough, maxOperations } = this.#limits;
    return Math.min(enough ?? maxOperations, maxOperations);
  }

  /** Not before the microtasks are done: until then those whose calls were just answered make their next ones. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    while (!this.#paused && this.#maySend()) {
      const batch = this.#take();
      if (batch.length === 0) continue;
      this.#inFlight++;
      void this.#run(batch).then(this.#freeSlot);
    }
  };

  readonly #freeSlot = (): void => {
    this.#inFlight--;
    this.#schedule();
  };

  #take(): Item[] {
    const { concurrency, maxOperations, maxBytes } = this.#limits;
    const most = this.#queue.length > this.#enough * concurrency ? maxOperations : this.#enough;
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
