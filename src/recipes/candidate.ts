import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { positiveInteger } from "../core/arguments.js";
import { StoreError } from "../core/errors.js";
import { canonicalKey } from "../core/keys.js";
import type { ReadOptions, Store, WatchOptions } from "../core/store.js";
import { checked } from "./checked.js";
import { Campaign, type TermFunction } from "./campaign.js";
import { leaderOf, observeLeader } from "./leader.js";

export interface CandidateOptions {
  /** What others see at the key while this one leads. Default: the host's name, the process id and a random part. */
  id?: string | undefined;
  /** How long the leadership stays with a leader that is no longer heard of, in milliseconds. Default 15,000. */
  ttlMs?: number | undefined;
  /**
   * How long the candidate stays out after a term that it gave up, in milliseconds, so that another gets its turn; after
   * failures up to 30,000. Default 1,000.
   */
  restMs?: number | undefined;
  /**
   * Called with each error that ends a term or an attempt, and the candidate goes on. Without it, an error that the
   * function throws ends `run`, and one that may pass (the store is away) is passed over.
   */
  onError?: ((error: unknown) => void) | undefined;
}

export interface RunOptions {
  /** Ends the campaign as `stop()` does; `run` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** One who stands for election at a key. */
export interface Candidate {
  readonly key: string;
  readonly id: string;
  /** Whether it leads by the clock, at this moment. */
  readonly leading: boolean;
  /**
   * Campaigns, and runs `fn` in each term, one term at a time; again after loss, `resign()`, an outage of the store, and
   * when `fn` has ended by itself. Resolves after `stop()`. Rejects with what `fn` throws (unless it throws because its
   * term was over, or there is an `onError`) and with a `StoreError` that will not pass, such as `CLOSED`.
   */
  run(fn: TermFunction, options?: RunOptions): Promise<void>;
  /**
   * Gives up the term that runs: its signal fires, and when `fn` has ended the lock is given back, and this resolves. The
   * campaign goes on. Nothing happens while it does not lead. Inside `fn`, do not await it, but return.
   */
  resign(): Promise<void>;
  /** Ends the campaign, in a term as `resign()` does, or in the wait; resolves when `run` is over. Not to be awaited in `fn`. */
  stop(): Promise<void>;
  /** The id of the leader, whoever it is; `undefined` when there is none. */
  leader(options?: ReadOptions): Promise<string | undefined>;
  /** The leader's id now and after each change, `undefined` while there is none. */
  observe(options?: WatchOptions): AsyncIterable<string | undefined>;
}

/**
 * A candidate for the leadership at `key`: a lock whose value is the leader's id, which any client can read, those of
 * docker/leadership among them.
 */
export function createCandidate(store: Store, key: string, options: CandidateOptions = {}): Candidate {
  return new LockCandidate(store, canonicalKey(key), options);
}

class LockCandidate implements Candidate {
  readonly key: string;
  readonly id: string;
  readonly #store: Store;
  readonly #options: CandidateOptions;
  readonly #restMs: number;
  #campaign: Campaign | undefined;

  constructor(store: Store, key: string, options: CandidateOptions) {
    this.#store = store;
    this.key = key;
    this.id = options.id ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    this.#options = options;
    this.#restMs = checked({ backend: store.backend, key }, () => positiveInteger("restMs", options.restMs)) ?? 1_000;
  }

  get leading(): boolean {
    return this.#campaign?.leading ?? false;
  }

  async run(fn: TermFunction, { signal }: RunOptions = {}): Promise<void> {
    if (this.#campaign !== undefined) {
      const reason = "the candidate runs already; make another object for another campaign";
      throw new StoreError("INVALID_ARGUMENT", reason, { backend: this.#store.backend, key: this.key });
    }
    signal?.throwIfAborted();
    const { ttlMs, onError } = this.#options;
    const { key, id } = this;
    const campaign = new Campaign({ store: this.#store, key, id, ttlMs, restMs: this.#restMs, onError, fn });
    const onAbort = (): void => void campaign.stop();
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#campaign = campaign;
    try {
      await campaign.run();
      signal?.throwIfAborted();
    } finally {
      this.#campaign = undefined;
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async resign(): Promise<void> {
    await this.#campaign?.resign();
  }

  async stop(): Promise<void> {
    await this.#campaign?.stop();
  }

  leader(options?: ReadOptions): Promise<string | undefined> {
    return leaderOf(this.#store, this.key, options);
  }

  observe(options?: WatchOptions): AsyncIterable<string | undefined> {
    return observeLeader(this.#store, this.key, options);
  }
}
