import type { Upstream, UpstreamChange, WatchScope, WatchSink } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import { Backoff } from "../util/backoff.js";
import { copyBytes } from "../util/bytes.js";
import type { Timer } from "../util/clock.js";
import { createDeferred, type Deferred } from "../util/deferred.js";
import { sleep } from "../util/sleep.js";
import { EtcdError, type EtcdWatch, type Event, Event_EventType as EventType } from "./client/index.js";
import type { Cluster } from "./cluster.js";
import { storeError } from "./errors.js";
import { HeldEvents } from "./held-events.js";
import type { KeyStates } from "./key-states.js";
import { readTree, type ScopeState } from "./watch-state.js";

/** A list that was asked for waits at most this long for the stream to come as far, in milliseconds. */
const catchUpMs = 1_000;

/**
 * One watch: the state of the scope at a revision, then the stream's events from the next one on. Another state comes
 * when it is asked for, when events were compacted away unseen, and when the cluster came back with less than it had.
 */
export class EtcdUpstream implements Upstream {
  readonly #cluster: Cluster;
  readonly #keyStates: KeyStates;
  readonly #scope: WatchScope;
  readonly #sink: WatchSink;
  readonly #end = new AbortController();
  #watch: EtcdWatch | undefined;
  /** Everything up to this revision was reported, as an event or in a snapshot. */
  #reported = 0n;
  /** How far the stream's events have come. */
  #streamAt = 0n;
  /** The stream was lost since the cluster's revision was last compared with its own. */
  #interrupted = false;
  #listing = false;
  #again = false;
  /** Events that came while a state was being read: some of them are in it, some come after. */
  readonly #held = new HeldEvents();
  #awaited: { readonly revision: bigint; readonly reached: Deferred<void> } | undefined;

  constructor(cluster: Cluster, keyStates: KeyStates, scope: WatchScope, sink: WatchSink) {
    this.#cluster = cluster;
    this.#keyStates = keyStates;
    this.#scope = scope;
    this.#sink = sink;
    this.refresh();
  }

  refresh(): void {
    if (this.#listing) this.#again = true;
    else void this.#list();
  }

  close(): void {
    if (this.#closed) return;
    this.#end.abort();
    this.#stopStream();
    this.#held.take();
    this.#awaited?.reached.resolve();
  }

  get #closed(): boolean {
    return this.#end.signal.aborted;
  }

  async #list(): Promise<void> {
    this.#listing = true;
    do {
      this.#again = false;
      const state = await this.#read();
      if (state === undefined) return;
      // A cluster of which a younger state was seen has lost its data: its revisions start again.
      if (state.revision < this.#streamAt) this.#stopStream();
      if (this.#watch !== undefined) await this.#streamReaches(state.newest);
      if (this.#closed) return;
      this.#report(state);
    } while (this.#again && !this.#closed);
    this.#listing = false;
  }

  /** The present state, through outages; `undefined` when the watch is over. */
  async #read(): Promise<ScopeState | undefined> {
    const backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
    const { signal } = this.#end;
    while (!this.#closed) {
      try {
        const { type, path } = this.#scope;
        return await (type === "key" ? this.#keyStates.read(path) : readTree(this.#cluster, path, signal));
      } catch (error) {
        if (this.#closed) return undefined;
        const failure = storeError(error, this.#cluster.endpoint, false);
        const passing = ["UNREACHABLE", "TIMEOUT", "BUSY"].some((code) => failure.code === code);
        if (!passing) {
          this.#fail(failure);
          return undefined;
        }
        await sleep(backoff.next(), { clock: this.#cluster.clock, signal }).catch(() => {});
      }
    }
    return undefined;
  }

  /**
   * Waits for the events that led to a state, so that they are reported one by one and not only as its difference.
   */
  async #streamReaches(revision: bigint): Promise<void> {
    if (this.#streamAt >= revision) return;
    const reached = createDeferred<void>();
    const timer: Timer = this.#cluster.clock.after(catchUpMs, () => reached.resolve());
    this.#awaited = { revision, reached };
    await reached.promise;
    timer.cancel();
    this.#awaited = undefined;
  }

  /** Reports a state between the events that are in it and those that came after. */
  #report({ pairs, revision }: ScopeState): void {
    const held = this.#held.take();
    const later = held.findIndex((event) => revisionOf(event) > revision);
    const before = later === -1 ? held : held.slice(0, later);
    if (this.#watch !== undefined) this.#reportEvents(before);
    this.#reported = revision;
    this.#sink.snapshot(pairs);
    if (this.#closed) return;
    if (this.#watch === undefined) this.#startStream(revision);
    else if (later !== -1) this.#reportEvents(held.slice(later));
  }

  #reportEvents(events: readonly Event[]): void {
    const changes: UpstreamChange[] = [];
    for (const { type, kv } of events) {
      if (kv === undefined || kv.modRevision <= this.#reported) continue;
      const key = this.#scope.type === "key" ? this.#scope.path : this.#cluster.keys.decode(kv.key);
      if (key === undefined) continue;
      if (type === EventType.DELETE) changes.push({ type: "delete", key, revision: kv.modRevision });
      else changes.push({ type: "put", pair: new KVPair(key, copyBytes(kv.value), kv.modRevision) });
    }
    if (changes.length > 0) this.#sink.changes(changes);
  }

  #startStream(revision: bigint): void {
    const { keys, client } = this.#cluster;
    const { type, path } = this.#scope;
    const range = type === "key" ? { key: keys.encode(path) } : keys.below(path);
    this.#streamAt = revision;
    this.#watch = client.watcher.watch(
      { ...range, startRevision: revision + 1n },
      {
        onEvents: (events, last) => this.#received(events, last),
        onSuspended: () => {
          this.#interrupted = true;
        },
        // One that was suspended before the server had set it up is created, not resumed.
        onCreated: () => void this.#checkRevision(),
        onResumed: () => void this.#checkRevision(),
        onCompacted: () => {
          this.#stopStream();
          this.refresh();
        },
        onError: (error) => this.#fail(storeError(error, this.#cluster.endpoint, false)),
      },
    );
  }

  #stopStream(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    this.#streamAt = 0n;
    this.#held.take();
    this.#awaited?.reached.resolve();
  }

  #received(events: Event[], last: bigint): void {
    this.#streamAt = last;
    if (!this.#listing) return this.#reportEvents(events);
    this.#held.add(events);
    if (this.#awaited !== undefined && last >= this.#awaited.revision) this.#awaited.reached.resolve();
  }

  /** After an outage: a cluster that came back empty would be silent until its revisions reach the old ones. */
  async #checkRevision(): Promise<void> {
    if (!this.#interrupted) return;
    this.#interrupted = false;
    try {
      if ((await this.#cluster.revision()) >= this.#streamAt || this.#watch === undefined) return;
      this.#stopStream();
      this.refresh();
    } catch (error) {
      // Cut off again: the next resumption asks again. Without the permission to ask, the state itself tells.
      if (error instanceof EtcdError && error.reason === "permission-denied") this.refresh();
    }
  }

  #fail(error: ReturnType<typeof storeError>): void {
    if (this.#closed) return;
    this.close();
    this.#sink.fail(error);
  }
}

function revisionOf(event: Event): bigint {
  return event.kv?.modRevision ?? 0n;
}
