import { isStoreError, type StoreError } from "../core/errors.js";
import { directoryPrefix } from "../core/keys.js";
import type { DriverHost, WatchScope, WatchSink } from "../core/driver.js";
import type { KVPair } from "../core/pair.js";
import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { BlockingQueries } from "./client/blocking-queries.js";
import type { ConsulHttp, ConsulReply } from "./client/http.js";
import type { KvResult } from "./client/transaction.js";
import { storeError } from "./errors.js";
import { keyPath, pairOf, resultsOf, sortedPairs } from "./pairs.js";

/**
 * The rest between two queries of one watch, in milliseconds: as long as the last answer took to handle, so that a large
 * directory that changes all the time takes half the process's time at most.
 */
const restMs = { least: 1, most: 10 };
const readTimeoutMs = 10_000;

/** What watches need of their store. */
export interface ConsulWatchHost {
  readonly http: ConsulHttp;
  readonly queries: BlockingQueries;
  readonly clock: Clock;
  readonly host: () => DriverHost | undefined;
}

/** A watch that is fed by a query. */
export interface Member {
  readonly sink: WatchSink;
  /** The one key it is for; `undefined` for all of the answer. */
  readonly key: string | undefined;
  /** Wants the state of a moment after it asked, so the answer to an earlier read will not do. */
  awaits: "nothing" | "next read" | "this read";
  /** The index of its key that it was told last; `undefined` for none. */
  told: number | undefined;
}

/**
 * One blocking query after the other on a key or a directory, for one watch or for many. Each answer is the whole
 * state, handed on as a snapshot: the core finds the difference, so that nothing is missed whatever happened in between.
 */
export class WatchQuery {
  readonly #parts: ConsulWatchHost;
  readonly #scope: WatchScope;
  readonly #members = new Set<Member>();
  readonly #closed = new AbortController();
  /** Aborted when somebody wants a fresh read, and a query that only waits is in the way. */
  #interrupt = new AbortController();
  #index = 0;

  constructor(parts: ConsulWatchHost, scope: WatchScope) {
    this.#parts = parts;
    this.#scope = scope;
    this.#run().catch(() => {});
  }

  get members(): number {
    return this.#members.size;
  }

  /** `key` narrows the answer to one key. */
  join(sink: WatchSink, key: string | undefined): Member {
    const member: Member = { sink, key, awaits: "nothing", told: undefined };
    this.#members.add(member);
    this.refresh(member);
    return member;
  }

  refresh(member: Member): void {
    member.awaits = "next read";
    this.#interrupt.abort();
  }

  /** The last to leave ends the query. */
  leave(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#closed.abort();
  }

  async #run(): Promise<void> {
    const { clock, host } = this.#parts;
    const { signal } = this.#closed;
    const backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
    // Those who join in the same turn are served by the same read.
    await Promise.resolve();
    while (!signal.aborted) {
      try {
        const handledMs = await this.#next();
        backoff.reset();
        await sleep(Math.min(Math.max(handledMs, restMs.least), restMs.most), { clock, signal });
      } catch (error) {
        if (signal.aborted) return;
        this.#index = 0;
        const explained = storeError(error, false);
        if (isStoreError(explained, "PERMISSION_DENIED") || isStoreError(explained, "UNAUTHENTICATED")) {
          return this.#fail(explained);
        }
        if (isStoreError(explained, "UNREACHABLE")) host()?.suspended(explained);
        await sleep(backoff.next(), { clock, signal });
      }
    }
  }

  /** One query; gives how long to rest after it, in milliseconds: what its answer took to handle. */
  async #next(): Promise<number> {
    const wanted = [...this.#members].some(({ awaits }) => awaits !== "nothing");
    if (wanted || this.#index === 0) return this.#read();
    const { queries } = this.#parts;
    this.#interrupt = new AbortController();
    const signal = AbortSignal.any([this.#closed.signal, this.#interrupt.signal]);
    let reply: ConsulReply | undefined;
    try {
      reply = await queries.ask({ path: this.#path(), query: this.#shape(), index: this.#index, signal });
    } catch (error) {
      if (this.#interrupt.signal.aborted) return 0;
      throw error;
    }
    if (reply === undefined) return 0;
    return reply.index === this.#index ? restMs.most : this.#take(reply, false);
  }

  /** The state as it is now, for those who ask. */
  async #read(): Promise<number> {
    const { http, clock } = this.#parts;
    for (const member of this.#members) if (member.awaits === "next read") member.awaits = "this read";
    const reply = await http.request({
      method: "GET",
      path: this.#path(),
      query: { ...this.#shape(), consistent: "" },
      deadline: clock.now() + readTimeoutMs,
      signal: this.#closed.signal,
      accept: [404],
    });
    // Whatever index there was, this state is the one to go on from.
    this.#index = 0;
    return this.#take(reply, true);
  }

  /** `fresh`: after an outage or in another life of the data, when no revision proves that there is nothing new. */
  #take(reply: ConsulReply, fresh: boolean): number {
    const startedAt = performance.now();
    // An index that goes backward, or is 0, belongs to another life of the servers' data: read everything anew.
    this.#index = reply.index < this.#index ? 0 : reply.index;
    if (this.#closed.signal.aborted) return 0;
    const results = resultsOf(this.#parts.http, reply.status === 404 ? "" : reply.body);
    const byKey = new Map(results.map((result) => [result.Key, result]));
    let pairs: readonly KVPair[] | undefined;
    for (const member of Array.from(this.#members)) {
      if (member.awaits === "next read") continue;
      member.awaits = "nothing";
      if (member.key === undefined) member.sink.snapshot((pairs ??= sortedPairs(results)));
      else this.#tell(member, byKey.get(member.key), fresh);
    }
    // Without an index to wait for, every query is answered at once.
    return this.#index === 0 ? restMs.most : performance.now() - startedAt;
  }

  #tell(member: Member, result: KvResult | undefined, fresh: boolean): void {
    if (!fresh && result?.ModifyIndex === member.told) return;
    member.told = result?.ModifyIndex;
    member.sink.snapshot(result === undefined ? [] : [pairOf(result)]);
  }

  #fail(error: StoreError): void {
    const members = [...this.#members];
    this.#members.clear();
    this.#closed.abort();
    for (const { sink } of members) sink.fail(error);
  }

  #path(): string {
    const { type, path } = this.#scope;
    return keyPath(this.#parts.http, type === "key" ? path : directoryPrefix(path));
  }

  #shape(): Record<string, string> {
    return this.#scope.type === "tree" ? { recurse: "" } : {};
  }
}
