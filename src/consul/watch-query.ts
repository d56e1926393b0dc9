import { setImmediate } from "node:timers/promises";
import type { PartHost } from "../core/directory-watches.js";
import type { WatchScope } from "../core/driver.js";
import type { StoreError } from "../core/errors.js";
import type { KeyPart } from "../core/key-parts.js";
import { directoryPrefix } from "../core/keys.js";
import type { KVPair } from "../core/pair.js";
import type { PolledMember, PolledSource, Telling } from "../core/polled-watch.js";
import type { Clock } from "../util/clock.js";
import { Ballast } from "./ballast.js";
import type { BlockingQueries } from "./client/blocking-queries.js";
import type { ConsulHttp, ConsulReply } from "./client/http.js";
import type { KvResult } from "./client/transaction.js";
import { storeError } from "./errors.js";
import { keyPath, ownOf, pairOf, pairsOf, resultsOf } from "./pairs.js";
import { writtenSince } from "./written-since.js";

/** Queries that bring no news lie so far apart at least, in milliseconds; each time in a row twice as far. */
const leastSpacingMs = 1;
/**
 * The longest rest between two queries of one watch, in milliseconds, and the one where the agent does not make it wait. Any
 * other is as long as the last answer took to handle, less the time that the query waited: so a large directory that changes
 * all the time takes half the process's time.
 */
const longestRestMs = 10;
const readTimeoutMs = 10_000;
/**
 * Queries of directories are split while there are fewer blocking queries than these, of the 64 that have a connection at a
 * time: the rest is for locks, and for watches to come.
 */
export const mostSplitQueries = 52;

/** What watches need of their store. */
export interface ConsulWatchHost {
  readonly http: ConsulHttp;
  readonly queries: BlockingQueries;
  readonly clock: Clock;
}

/**
 * Blocking queries on a key, a directory or a part of one. Each answer is the whole state, handed on as a snapshot: the
 * core finds the difference, so that nothing is missed whatever happened in between.
 */
export class WatchQuery implements PolledSource {
  readonly #host: ConsulWatchHost;
  readonly #path: string;
  readonly #shape: Readonly<Record<string, string>>;
  readonly #part: PartHost | undefined;
  readonly #ballast: Ballast;
  /** Of the answer before; 0 when the state has to be read. */
  #index = 0;
  /** How many keys the answer before had. */
  #count = 0;
  /** How far apart queries lie while they bring no news. */
  #idleSpacingMs = leastSpacingMs;

  /** `part` is for a query that other queries may take the place of. */
  constructor(host: ConsulWatchHost, { type, path }: WatchScope | KeyPart, part?: PartHost) {
    this.#host = host;
    this.#path = keyPath(host.http, type === "tree" ? directoryPrefix(path) : path);
    this.#shape = type === "key" ? {} : { recurse: "" };
    this.#part = part;
    this.#ballast = new Ballast(host.clock);
  }

  get continues(): boolean {
    return this.#index !== 0;
  }

  forget(): void {
    this.#index = 0;
    // The agent may have no more connections for us, or the token no right to one of the keys, which its directory hides.
    this.#part?.gather();
  }

  async read(signal: AbortSignal): Promise<Telling> {
    const { http, clock } = this.#host;
    const askedAt = clock.now();
    const reply = await http.request({
      method: "GET",
      path: this.#path,
      query: { ...this.#shape, consistent: "" },
      deadline: clock.now() + readTimeoutMs,
      signal,
      accept: [404],
    });
    // Whatever index there was, this state is the one to go on from.
    this.#index = 0;
    return (members) => {
      const spacingMs = this.#tell(members, reply, true);
      // A rest in any case, for those who come one after the other: each would break off a query that has only begun.
      return Math.max(spacingMs, clock.now() - askedAt + leastSpacingMs);
    };
  }

  async poll(signal: AbortSignal): Promise<Telling | undefined> {
    const { queries } = this.#host;
    // The connection of the answer before is free only when the callbacks of that answer are over.
    await setImmediate();
    signal.throwIfAborted();
    const reply = await queries.ask({ path: this.#path, query: this.#shape, index: this.#index, signal });
    if (queries.crowded) this.#part?.gather();
    if (reply === undefined) return undefined;
    if (reply.index === this.#index) return () => longestRestMs;
    return (members) => this.#tell(members, reply, false);
  }

  explain(error: unknown): StoreError {
    return storeError(error, false);
  }

  /** `fresh`: after an outage or in another life of the data, when no revision proves that there is nothing new. */
  #tell(members: readonly PolledMember[], reply: ConsulReply, fresh: boolean): number {
    const startedAt = performance.now();
    const { http } = this.#host;
    const body = reply.status === 404 ? "" : reply.body;
    // A write gives its key an index above all that were there; what became less in number was deleted.
    const since = fresh ? 0 : this.#index;
    const { count, written } = writtenSince(body, since);
    const created = written.reduce((sum, { CreateIndex }) => (CreateIndex > since ? sum + 1 : sum), 0);
    const deleted = fresh || this.#count + created > count;
    this.#count = count;
    // An index that goes backward, or is 0, belongs to another life of the servers' data: read everything anew.
    this.#index = reply.index < this.#index ? 0 : reply.index;
    const news = new Map(ownOf(http, written).map((result) => [result.Key, result]));
    const there = deleted ? new Set(ownOf(http, resultsOf(body)).map(({ Key }) => Key)) : undefined;
    let pairs: readonly KVPair[] | undefined;
    for (const { sink, key } of members) {
      const own = key === undefined ? undefined : news.get(key);
      if (key === undefined) sink.snapshot((pairs ??= pairsOf(http, body)));
      else if (own !== undefined) sink.snapshot([pairOf(own)]);
      else if (there?.has(key) === false) sink.snapshot([]);
    }
    if (!fresh && this.#part !== undefined) this.#weigh(this.#part, body, written);
    // Without an index to wait for, every query is answered at once.
    if (this.#index === 0) return longestRestMs;
    return this.#spacingMs(performance.now() - startedAt, written.length > 0 || deleted);
  }

  #weigh(part: PartHost, body: string, written: readonly KvResult[]): void {
    const news = written.reduce((sum, { Value }) => sum + (Value?.length ?? 0), 0);
    if (this.#ballast.add(body.length - news)) part.split();
  }

  #spacingMs(handledMs: number, isNews: boolean): number {
    const spacingMs = handledMs + Math.min(handledMs, longestRestMs);
    const idleMs = this.#idleSpacingMs;
    this.#idleSpacingMs = isNews ? leastSpacingMs : Math.min(2 * idleMs, longestRestMs);
    return isNews ? spacingMs : Math.max(spacingMs, idleMs);
  }
}
