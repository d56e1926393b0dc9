import type { Timer } from "../../util/clock.js";
import type { EtcdChannel } from "./channel.js";
import { EtcdError } from "./errors.js";
import { type Event, WatchResponse } from "./generated/watch.js";
import { KeptStream } from "./kept-stream.js";
import { rangeRequest } from "./messages.js";
import { range, watchPath } from "./methods.js";
import type { EtcdWatch, WatchHandler, WatchRequestOptions } from "./watch.js";
import { type WatcherSettings, WatchPulse } from "./watch-pulse.js";
import { cancelMessage, createMessage, newWatch, revisionOf, type WatchState } from "./watch-state.js";

/** The server holds 16 answers to creations before it waits for the stream, so a few dozen keep it busy. */
const creationsUnderWay = 128;
/** The stream outlives its last watch by this much, so that a program that watches on and off keeps one stream. */
const lingerMs = 1_000;
const refusalsAllowed = 3;

/** All watches of a client, on one stream. */
export class EtcdWatcher {
  readonly #channel: EtcdChannel;
  readonly #stream: KeptStream;
  readonly #pulse: WatchPulse;
  readonly #watches = new Set<WatchState>();
  readonly #byServerId = new Map<bigint, WatchState>();
  /** Not yet asked for on this stream. */
  #queue: WatchState[] = [];
  #queueStart = 0;
  /** Asked for, in order, and not yet answered. The server answers creations in the order they were sent. */
  readonly #creating: WatchState[] = [];
  #lastId = 0n;
  #linger: Timer | undefined;
  #closed = false;

  constructor(channel: EtcdChannel, settings: WatcherSettings = {}) {
    this.#channel = channel;
    this.#stream = new KeptStream(channel, watchPath, {
      onOpen: () => this.#opened(),
      onMessage: (bytes) => this.#received(WatchResponse.decode(bytes)),
      onDown: (error) => this.#suspendAll(error),
      onRefused: (error) => this.#failAll(error),
    });
    this.#pulse = new WatchPulse(this.#stream, channel.clock, settings, (why, askedAt) => {
      this.#stream.open?.connection.suspectMute(askedAt, 0);
      this.#drop(why);
    });
  }

  /** How many watches there are. */
  get size(): number {
    return this.#watches.size;
  }

  /** Starts a watch, which goes on through lost streams and members until cancelled or one of its last callbacks. */
  watch(options: WatchRequestOptions, handler: WatchHandler): EtcdWatch {
    const watch = newWatch(++this.#lastId, options, handler);
    watch.cancelled = this.#closed;
    if (!this.#closed) {
      this.#watches.add(watch);
      this.#queue.push(watch);
      this.#linger?.cancel();
      this.#stream.start();
      this.#create();
    }
    return { cancel: () => this.#cancel(watch) };
  }

  /** Ends every watch without a word to its handler. */
  close(): void {
    this.#closed = true;
    for (const watch of this.#watches) watch.cancelled = true;
    this.#watches.clear();
    this.#forgetStream();
    this.#linger?.cancel();
    this.#stream.stop();
  }

  #opened(): void {
    this.#queue = [...this.#watches];
    this.#pulse.start();
    this.#create();
  }

  /** Asks for queued watches, a bounded number at a time, so that answers and events get a turn in between. */
  #create(): void {
    if (this.#stream.open === undefined) return;
    while (this.#queueStart < this.#queue.length && this.#creating.length < creationsUnderWay) {
      const watch = this.#queue[this.#queueStart++]!;
      if (watch.cancelled) continue;
      this.#creating.push(watch);
      this.#stream.send(createMessage(watch));
    }
    if (this.#queueStart === this.#queue.length) {
      this.#queue = [];
      this.#queueStart = 0;
    }
  }

  #cancel(watch: WatchState): void {
    if (watch.cancelled) return;
    watch.cancelled = true;
    // One still being created is cancelled when its answer tells what to cancel.
    if (this.#byServerId.delete(watch.serverId)) this.#stream.send(cancelMessage(watch.serverId));
    this.#remove(watch);
  }

  /** Forgets a watch that is over; after the last one the stream goes too. */
  #remove(watch: WatchState): void {
    watch.cancelled = true;
    watch.parts = undefined;
    this.#byServerId.delete(watch.serverId);
    this.#watches.delete(watch);
    if (this.#watches.size > 0) return;
    this.#linger?.cancel();
    this.#linger = this.#channel.clock.after(lingerMs, () => {
      this.#forgetStream();
      this.#stream.stop();
    });
  }

  #received(response: WatchResponse): void {
    if (response.created) return this.#answered(response);
    // An unknown id: an answer to a progress request (-1), or a watch cancelled meanwhile.
    const watch = this.#byServerId.get(response.watchId);
    if (watch === undefined) return;
    if (response.canceled) return this.#ended(watch, response);
    const events = watch.parts === undefined ? response.events : watch.parts.concat(response.events);
    watch.parts = response.fragment ? events : undefined;
    if (!response.fragment && events.length > 0) this.#deliver(watch, events);
  }

  /** The answer to the oldest unanswered creation. */
  #answered(response: WatchResponse): void {
    const watch = this.#creating.shift();
    if (watch === undefined) return this.#drop("the server answered a watch that was not asked for");
    this.#create();
    if (response.canceled) {
      if (!watch.cancelled) this.#ended(watch, response);
      return;
    }
    if (watch.cancelled) return this.#stream.send(cancelMessage(response.watchId));
    watch.serverId = response.watchId;
    this.#byServerId.set(response.watchId, watch);
    watch.refusals = 0;
    // Where a start was asked for, the header's revision may be far ahead of it and says nothing about this watch.
    if (watch.next === 0n) watch.next = (response.header?.revision ?? 0n) + 1n;
    const { created, suspended } = watch;
    watch.created = true;
    watch.suspended = false;
    if (!created) watch.handler.onCreated?.(watch.next);
    else if (suspended) watch.handler.onResumed?.();
  }

  #deliver(watch: WatchState, events: Event[]): void {
    // The next start is told from the events themselves: the header's revision may cover events still on their way.
    const fresh = revisionOf(events[0]!) >= watch.next ? events : events.filter((e) => revisionOf(e) >= watch.next);
    const last = fresh.at(-1);
    if (last === undefined) return;
    watch.next = revisionOf(last) + 1n;
    watch.handler.onEvents(fresh, revisionOf(last));
  }

  /** The server ended or refused a watch. */
  #ended(watch: WatchState, response: WatchResponse): void {
    const { compactRevision, cancelReason } = response;
    this.#byServerId.delete(watch.serverId);
    if (compactRevision > 0n) {
      this.#remove(watch);
      return watch.handler.onCompacted(compactRevision);
    }
    if (/permission ?denied|auth token|auth store/i.test(cancelReason)) {
      void this.#askWhyRefused(watch, cancelReason);
    } else if (response.created) {
      this.#refuse(watch, "invalid", cancelReason === "" ? "the server refused the watch" : cancelReason);
    } else {
      // Not asked for and not explained, such as on a member that catches up from a snapshot: resume.
      this.#drop(`the server ended a watch: ${cancelReason}`);
    }
  }

  /**
   * etcd 3.4 says "permission denied" for a forbidden key and for a token it does not know alike. Reading what was to
   * be watched tells them apart, and gets a new token on the way where that is all that was wrong.
   */
  async #askWhyRefused(watch: WatchState, cancelReason: string): Promise<void> {
    const { key, rangeEnd = new Uint8Array(0) } = watch.options;
    try {
      watch.refusals += 1;
      await this.#channel.unary(range, rangeRequest({ key, rangeEnd, limit: 1n, keysOnly: true }));
    } catch (error) {
      if (watch.cancelled || !(error instanceof EtcdError) || error.reason === "closed") return;
      const denied = error.reason === "permission-denied" || error.reason === "unauthenticated";
      if (denied) return this.#refuse(watch, error.reason, cancelReason);
    }
    if (watch.cancelled) return;
    if (watch.refusals >= refusalsAllowed) return this.#refuse(watch, "permission-denied", cancelReason);
    this.#drop(`the watch stream was refused: ${cancelReason}`);
  }

  #refuse(watch: WatchState, reason: EtcdError["reason"], etcdMessage: string): void {
    this.#remove(watch);
    const endpoint = this.#stream.open?.connection.endpoint.name;
    const status = reason === "invalid" ? "INVALID_ARGUMENT" : "PERMISSION_DENIED";
    watch.handler.onError(new EtcdError({ reason, status, etcdMessage, endpoint, outcome: "not-applied" }));
  }

  /** Drops the stream; another resumes every watch. */
  #drop(etcdMessage: string): void {
    const endpoint = this.#stream.open?.connection.endpoint.name;
    const details = { reason: "unavailable", status: "UNAVAILABLE", etcdMessage, endpoint } as const;
    this.#stream.drop(new EtcdError({ ...details, outcome: "not-applied" }));
  }

  #suspendAll(error: EtcdError): void {
    this.#forgetStream();
    for (const watch of this.#watches) {
      if (watch.suspended) continue;
      watch.suspended = true;
      watch.handler.onSuspended?.(error);
    }
  }

  #failAll(error: EtcdError): void {
    this.#forgetStream();
    for (const watch of this.#watches) {
      this.#remove(watch);
      watch.handler.onError(error);
    }
  }

  /** What was said on a stream counts on that stream only. A watch of which only part of an answer came resumes before it. */
  #forgetStream(): void {
    this.#pulse.stop();
    this.#byServerId.clear();
    this.#creating.length = 0;
    this.#queue = [];
    this.#queueStart = 0;
    for (const watch of this.#watches) watch.parts = undefined;
  }
}
