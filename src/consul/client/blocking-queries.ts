import type { Clock, Timer } from "../../util/clock.js";
import { ConsulError } from "./errors.js";
import type { ConsulHttp, ConsulReply } from "./http.js";

/**
 * How long a query waits on the server, in milliseconds. It is also how long a connection that died without a word goes
 * unnoticed, at most.
 */
const waitMs = 20_000;
/** How long it waits when others wait for a connection. */
const crowdedWaitMs = 1_000;
/** For the network and a busy server, in milliseconds, on top of the wait and of what the agent adds to it. */
const graceMs = 5_000;

/** A question to the agent that it answers when something has changed. */
export interface BlockingQuery {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /** The index of the answer before. */
  readonly index: number;
  readonly signal: AbortSignal;
  /** By the clock, in milliseconds. */
  readonly deadline?: number | undefined;
}

/** A query that has a connection. */
interface Turn {
  readonly startedAt: number;
  /** Aborted when it has to make room. */
  readonly over: AbortController;
}

/**
 * The blocking queries of a store. Each takes a connection while it waits, and agents accept few from one address, so
 * there is a budget: beyond it the queries take turns of about a second. A query whose turn is over goes on from its
 * index later, so that it misses nothing.
 */
export class BlockingQueries {
  readonly #http: ConsulHttp;
  readonly #clock: Clock;
  readonly #budget: number;
  readonly #turns = new Set<Turn>();
  readonly #waiting = new Set<() => void>();
  #rotation: Timer | undefined;

  constructor(http: ConsulHttp, clock: Clock, budget: number) {
    this.#http = http;
    this.#clock = clock;
    this.#budget = budget;
  }

  /** How many there are, with a connection or waiting for one. */
  get size(): number {
    return this.#turns.size + this.#waiting.size;
  }

  /** Whether there are more than the budget. */
  get crowded(): boolean {
    return this.#waiting.size > 0;
  }

  /** The answer, or `undefined` when the query had to make room for another: then ask again. */
  async ask({ path, query, index, signal, deadline }: BlockingQuery): Promise<ConsulReply | undefined> {
    if (this.#turns.size >= this.#budget) await this.#wait(signal);
    signal.throwIfAborted();
    const turn: Turn = { startedAt: this.#clock.now(), over: new AbortController() };
    this.#turns.add(turn);
    const wait = this.#waiting.size > 0 ? crowdedWaitMs : waitMs;
    try {
      return await this.#http.request({
        method: "GET",
        path,
        query: { ...query, index: String(index), wait: `${wait}ms` },
        // The agent adds up to a sixteenth to the wait, so that not all queries end together.
        deadline: Math.min(deadline ?? Number.POSITIVE_INFINITY, this.#clock.now() + wait + wait / 16 + graceMs),
        signal: AbortSignal.any([signal, turn.over.signal]),
        blocking: true,
        accept: [404],
      });
    } catch (error) {
      if (turn.over.signal.aborted && error instanceof ConsulError && error.reason === "aborted") return undefined;
      throw error;
    } finally {
      this.#turns.delete(turn);
      const [next] = this.#waiting;
      next?.();
    }
  }

  /** Until there is a connection; first come, first served. */
  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go);
        signal.removeEventListener("abort", go);
        resolve();
      };
      this.#waiting.add(go);
      signal.addEventListener("abort", go, { once: true });
      this.#rotate();
    });
  }

  /** Ends the turns that are over, as many as others wait, and looks again while any do. */
  #rotate(): void {
    if (this.#rotation !== undefined || this.#waiting.size === 0) return;
    let needed = this.#waiting.size;
    // A crowded query ends by itself: only older ones, which wait for long, are cut short.
    const limit = this.#clock.now() - crowdedWaitMs * 1.5;
    for (const { startedAt, over } of this.#turns) {
      if (needed === 0 || startedAt > limit) break;
      if (!over.signal.aborted) over.abort();
      needed--;
    }
    this.#rotation = this.#clock.after(crowdedWaitMs / 4, () => {
      this.#rotation = undefined;
      this.#rotate();
    });
  }
}
