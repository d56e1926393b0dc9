import { randomUUID } from "node:crypto";
import { positiveInteger } from "../core/arguments.js";
import { isStoreError, StoreError } from "../core/errors.js";
import { canonicalKey } from "../core/keys.js";
import type { CallOptions, LockHold, Store } from "../core/store.js";
import { checked } from "./checked.js";
import { BarrierRound, readRound } from "./barrier-round.js";
import { withDeadline } from "./deadline.js";
import { linkSignals } from "./linked-signal.js";
import { throughOutages } from "./outages.js";
import { type Found, waitFor } from "./watched-wait.js";
import { releaseQuietly } from "./with-lock.js";

export interface BarrierOptions {
  /** What `list(key)` shows for this member. Default: empty. */
  value?: string | undefined;
  /** How long a member that is no longer heard of still counts, in milliseconds. Default 15,000. */
  ttlMs?: number | undefined;
}

/** One member's stay between `enter` and `leave`. */
export interface BarrierVisit {
  readonly key: string;
  /** Fires when the membership is lost; the others then do not wait for this one to leave. The reason is `LOCK_LOST`. */
  readonly signal: AbortSignal;
  /** Whether the membership stands by the clock, at this moment. */
  readonly held: boolean;
  /**
   * Leaves, and waits until all who entered together have left or were lost. After a `TIMEOUT` or an abort it may be
   * called again, to wait on.
   */
  leave(options?: CallOptions): Promise<void>;
}

/** A point that so many parties pass together, and another behind it. */
export interface Barrier {
  readonly key: string;
  readonly parties: number;
  /** Waits until as many as there are parties have come. Who comes beyond that waits for the next round. */
  enter(options?: CallOptions): Promise<BarrierVisit>;
}

/**
 * A double barrier for `parties` members among all clients of the server. Each member is a held lock at
 * `key/members/<id>`, so that the dead go away; the members of a round stand in `key/round`, written by compare-and-set
 * by whoever sees that enough are there.
 */
export function createBarrier(store: Store, key: string, parties: number, options: BarrierOptions = {}): Barrier {
  checked({ backend: store.backend, key }, () => positiveInteger("parties", parties));
  return new LockBarrier(store, canonicalKey(key), parties, options);
}

class LockBarrier implements Barrier {
  readonly key: string;
  readonly parties: number;
  readonly #store: Store;
  readonly #options: BarrierOptions;

  constructor(store: Store, key: string, parties: number, options: BarrierOptions) {
    this.#store = store;
    this.key = key;
    this.parties = parties;
    this.#options = options;
  }

  enter(options?: CallOptions): Promise<BarrierVisit> {
    const subject = { backend: this.#store.backend, key: this.key, waitsFor: "the wait for the other parties" };
    return withDeadline(subject, options, async (signal) => {
      for (;;) {
        const visit = await this.#enterOnce(signal);
        if (visit !== undefined) return visit;
      }
    });
  }

  /** Waits as one member; `undefined` when the membership was lost before the round began, so that it waits as another. */
  async #enterOnce(signal: AbortSignal): Promise<BarrierVisit | undefined> {
    const round = new BarrierRound(this.#store, this.key);
    const member = randomUUID();
    const entry = await this.#store.newLock(round.memberKey(member), this.#options).lock({ signal });
    const waiting = linkSignals(signal, entry.signal);
    try {
      const look = async (): Promise<Found<readonly string[]>> => {
        const members = await round.begin(this.parties, member, waiting.signal);
        return members && { value: members };
      };
      const members = await waitFor(this.#store, this.key, look, { signal: waiting.signal });
      return new Visit(this.#store, this.key, entry, members);
    } catch (error) {
      await releaseQuietly(entry);
      if (signal.aborted || !entry.signal.aborted) throw error;
      const { members } = await throughOutages(() => readRound(this.#store, this.key, signal), signal);
      if (!members.includes(member)) return undefined;
      // The others have passed and count this one in.
      throw new StoreError("LOCK_LOST", "the membership was lost in the moment at which the barrier opened", {
        backend: this.#store.backend,
        key: this.key,
        cause: entry.signal.reason,
      });
    } finally {
      waiting.unlink();
    }
  }
}

class Visit implements BarrierVisit {
  readonly key: string;
  readonly #store: Store;
  readonly #entry: LockHold;
  readonly #members: readonly string[];

  constructor(store: Store, key: string, entry: LockHold, members: readonly string[]) {
    this.#store = store;
    this.key = key;
    this.#entry = entry;
    this.#members = members;
  }

  get signal(): AbortSignal {
    return this.#entry.signal;
  }

  get held(): boolean {
    return this.#entry.held;
  }

  leave(options?: CallOptions): Promise<void> {
    const subject = { backend: this.#store.backend, key: this.key, waitsFor: "the wait for the others to leave" };
    return withDeadline(subject, options, async (signal) => {
      if (this.#entry.held) await this.#unlock(signal);
      const round = new BarrierRound(this.#store, this.key);
      const look = async (): Promise<Found<true>> =>
        (await round.isOver(this.#members, signal)) ? { value: true } : undefined;
      await waitFor(this.#store, this.key, look, { signal });
    });
  }

  async #unlock(signal: AbortSignal): Promise<void> {
    try {
      await this.#entry.unlock({ signal });
    } catch (error) {
      // It is gone already, or goes with its ttl, and the wait below sees it go.
      if (!isStoreError(error)) throw error;
    }
  }
}
