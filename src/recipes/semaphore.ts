import { positiveInteger } from "../core/arguments.js";
import { canonicalKey } from "../core/keys.js";
import type { CallOptions, LockHold, Store } from "../core/store.js";
import { checked } from "./checked.js";
import { withDeadline } from "./deadline.js";
import { linkSignals } from "./linked-signal.js";
import { throughOutages } from "./outages.js";
import { RecipeHold } from "./recipe-hold.js";
import { type Found, waitFor } from "./watched-wait.js";
import { releaseQuietly } from "./with-lock.js";

export interface SemaphoreOptions {
  /** What `list(key)` shows for each holder. Default: empty. */
  value?: string | Uint8Array | undefined;
  /** How long a slot stays with a holder that is no longer heard of, in milliseconds. Default 15,000. */
  ttlMs?: number | undefined;
}

/** One of the slots, held. */
export interface SemaphoreHold extends LockHold {
  /** Which one, from 0. No two holders have the same; tokens grow from holder to holder of one slot. */
  readonly slot: number;
}

/** At most so many holders at a time among all clients of the server. */
export interface Semaphore {
  readonly key: string;
  /** How many there are. All clients must say the same. */
  readonly slots: number;
  /** Waits for a slot, through outages. Rejects with `TIMEOUT` after `timeoutMs`; without one it waits for ever. */
  acquire(options?: CallOptions): Promise<SemaphoreHold>;
  /** A slot when one is free now, otherwise `undefined`. */
  tryAcquire(options?: CallOptions): Promise<SemaphoreHold | undefined>;
}

/** Slots that somebody lost may be held back by the server for a moment without a change that a watch could tell of. */
const lookAgainMs = 1_000;

/**
 * A semaphore of plain locks: each slot is one, at `key/slots/<number>`, so there are never more holders than slots. Who
 * finds none free waits in line at the lock `key/turn`, whose holder takes the next slot.
 */
export function createSemaphore(store: Store, key: string, slots: number, options: SemaphoreOptions = {}): Semaphore {
  checked({ backend: store.backend, key }, () => positiveInteger("slots", slots));
  return new LockSemaphore(store, key, slots, options);
}

class LockSemaphore implements Semaphore {
  readonly key: string;
  readonly slots: number;
  readonly #store: Store;
  readonly #options: SemaphoreOptions;

  constructor(store: Store, key: string, slots: number, options: SemaphoreOptions) {
    this.#store = store;
    this.key = canonicalKey(key);
    this.slots = slots;
    this.#options = options;
  }

  acquire(options?: CallOptions): Promise<SemaphoreHold> {
    const subject = { backend: this.#store.backend, key: this.key, waitsFor: "the wait for a slot" };
    return withDeadline(subject, options, async (signal) => {
      const inLine = await throughOutages(() => this.#store.exists(this.#turn, { signal }), signal);
      const free = inLine ? undefined : await throughOutages(() => this.#takeFree(signal), signal);
      return free ?? this.#inTurn(signal);
    });
  }

  tryAcquire(options?: CallOptions): Promise<SemaphoreHold | undefined> {
    const subject = { backend: this.#store.backend, key: this.key, waitsFor: "the try for a slot" };
    return withDeadline(subject, options, (signal) => this.#takeFree(signal));
  }

  get #turn(): string {
    return `${this.key}/turn`;
  }

  get #directory(): string {
    return `${this.key}/slots`;
  }

  /** The turn only keeps order: whoever loses it in an outage takes no slot that is not free, and lines up again. */
  async #inTurn(signal: AbortSignal): Promise<SemaphoreHold> {
    const { ttlMs } = this.#options;
    for (;;) {
      const turn = await this.#store.newLock(this.#turn, { ttlMs }).lock({ signal });
      const waiting = linkSignals(signal, turn.signal);
      try {
        const look = async (): Promise<Found<SemaphoreHold>> => {
          const value = await this.#takeFree(waiting.signal);
          return value && { value };
        };
        return await waitFor(this.#store, this.#directory, look, { signal: waiting.signal, againMs: lookAgainMs });
      } catch (error) {
        if (signal.aborted || !turn.signal.aborted) throw error;
      } finally {
        waiting.unlink();
        await releaseQuietly(turn);
      }
    }
  }

  /** Tries the slots that look free, in random order, so that those who come together do not all try the same one. */
  async #takeFree(signal: AbortSignal): Promise<SemaphoreHold | undefined> {
    const { value, ttlMs } = this.#options;
    const taken = new Set(await this.#store.keys(this.#directory, { signal }));
    const names = Array.from({ length: this.slots }, (_, slot) => ({ slot, key: `${this.#directory}/${slot}` }));
    for (const { slot, key } of shuffled(names.filter((name) => !taken.has(name.key)))) {
      const hold = await this.#store.newLock(key, { value, ttlMs }).tryLock({ signal });
      if (hold !== undefined) return new SlotHold(this.key, hold, slot);
    }
    return undefined;
  }
}

class SlotHold extends RecipeHold implements SemaphoreHold {
  readonly slot: number;

  constructor(key: string, hold: LockHold, slot: number) {
    super(key, hold);
    this.slot = slot;
  }
}

/** The items in random order (Fisher and Yates). */
function shuffled<T>(items: T[]): T[] {
  for (let at = items.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [items[at], items[other]] = [items[other]!, items[at]!];
  }
  return items;
}
