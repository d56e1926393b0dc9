import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import type { WatchSink } from "./driver.js";
import { isStoreError, type StoreError } from "./errors.js";

/** The shortest rest that a timer can keep, in milliseconds. */
const leastRestMs = 1;

/** A watch that is fed by a poll. */
export interface PolledMember {
  readonly sink: WatchSink;
  /** The one key it is for; `undefined` for all that is polled. */
  readonly key: string | undefined;
  /** Wants the state of a moment after it asked, so the answer to an earlier read will not do. */
  awaits: "nothing" | "next read" | "this read";
}

/**
 * Tells members what the server answered. Gives how many milliseconds lie between that question and the next one at least:
 * what the server took to answer counts, so that a long poll is no reason to rest.
 */
export type Telling = (members: readonly PolledMember[]) => number;

/** A key or a directory of a server that is asked again and again: one question at a time, read and polls alike. */
export interface PolledSource {
  /** Whether there is something that a poll could go on from; otherwise the state is read. */
  readonly continues: boolean;
  /** Drops what a poll could go on from. */
  forget(): void;
  /** Asks for the state as it is now. */
  read(signal: AbortSignal): Promise<Telling>;
  /** Waits on the server for what comes after the answer before; `undefined` when nothing did. */
  poll(signal: AbortSignal): Promise<Telling | undefined>;
  explain(error: unknown): StoreError;
}

/** What polls need of their store. */
export interface PolledWatchHost {
  readonly clock: Clock;
  /** Hears that the server could not be reached. */
  readonly suspended: (reason: StoreError) => void;
}

/**
 * A watch of a server that only answers questions, for one follower or for many who come and go: a read, and then one poll
 * after the other. Who wants a fresh state interrupts a poll that only waits. After a failure the state is read anew, for the
 * core to find the difference, and not before a pause that grows until a poll is answered again.
 */
export class PolledWatch {
  readonly #source: PolledSource;
  readonly #host: PolledWatchHost;
  readonly #members = new Set<PolledMember>();
  readonly #closed = new AbortController();
  /** Of the poll that is under way. */
  #interrupt = new AbortController();

  constructor(source: PolledSource, host: PolledWatchHost) {
    this.#source = source;
    this.#host = host;
    this.#run().catch(() => {});
  }

  get members(): number {
    return this.#members.size;
  }

  join(sink: WatchSink, key: string | undefined): PolledMember {
    const member: PolledMember = { sink, key, awaits: "nothing" };
    this.#members.add(member);
    this.refresh(member);
    return member;
  }

  refresh(member: PolledMember): void {
    member.awaits = "next read";
    this.#interrupt.abort();
  }

  leave(member: PolledMember): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#close();
  }

  async #run(): Promise<void> {
    const { clock } = this.#host;
    const { signal } = this.#closed;
    const backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
    // Rests of less than a timer can keep add up to one that it can.
    let owedMs = 0;
    // Those who join in the same turn are served by the same read.
    await Promise.resolve();
    while (!signal.aborted) {
      const askedAt = clock.now();
      try {
        const spacingMs = this.#mustRead() ? await this.#read() : await this.#poll(backoff);
        owedMs = Math.max(owedMs + askedAt + spacingMs - clock.now(), 0);
        if (owedMs >= leastRestMs) {
          await sleep(owedMs, { clock, signal });
          owedMs = 0;
        }
      } catch (error) {
        if (signal.aborted) return;
        this.#source.forget();
        const explained = this.#source.explain(error);
        if (isStoreError(explained, "PERMISSION_DENIED") || isStoreError(explained, "UNAUTHENTICATED")) {
          return this.#fail(explained);
        }
        if (isStoreError(explained, "UNREACHABLE")) this.#host.suspended(explained);
        await sleep(backoff.next(), { clock, signal });
      }
    }
  }

  #mustRead(): boolean {
    return !this.#source.continues || [...this.#members].some(({ awaits }) => awaits !== "nothing");
  }

  async #read(): Promise<number> {
    for (const member of this.#members) if (member.awaits === "next read") member.awaits = "this read";
    return this.#tell(await this.#source.read(this.#closed.signal));
  }

  async #poll(backoff: Backoff): Promise<number> {
    const { signal } = (this.#interrupt = new AbortController());
    try {
      const telling = await this.#source.poll(signal);
      backoff.reset();
      return telling === undefined ? 0 : this.#tell(telling);
    } catch (error) {
      if (signal.aborted) return 0;
      throw error;
    }
  }

  #tell(telling: Telling): number {
    if (this.#closed.signal.aborted) return 0;
    const due = [...this.#members].filter(({ awaits }) => awaits !== "next read");
    for (const member of due) member.awaits = "nothing";
    return telling(due);
  }

  #fail(error: StoreError): void {
    const members = [...this.#members];
    this.#members.clear();
    this.#close();
    for (const { sink } of members) sink.fail(error);
  }

  #close(): void {
    this.#closed.abort();
    this.#interrupt.abort();
  }
}
