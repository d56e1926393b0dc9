import type { EtcdError } from "./errors.js";
import type { Event, WatchCreateRequest_FilterType } from "./generated/watch.js";

/** What to watch. */
export interface WatchRequestOptions {
  key: Uint8Array;
  /** End of the range, exclusive; empty or left out for the one key. */
  rangeEnd?: Uint8Array | undefined;
  /** First revision wanted. 0, the default, means what comes after the server has set the watch up. */
  startRevision?: bigint | undefined;
  /** Have each event carry the pair before it. Default false. */
  prevKv?: boolean | undefined;
  /** Kinds of events not wanted. Default none. */
  filters?: readonly WatchCreateRequest_FilterType[] | undefined;
}

/** Called in the order in which things happened. None of these may throw. */
export interface WatchHandler {
  /** Events of one or more whole revisions, in order; `revision` is that of the last. Never empty, none comes twice. */
  onEvents(events: Event[], revision: bigint): void;
  /** The server has set the watch up, for the first time; events from `startRevision` on will come. */
  onCreated?(startRevision: bigint): void;
  /** The stream was lost. It is opened again, and the watch resumed where it stood. */
  onSuspended?(error: EtcdError): void;
  /** The watch goes on after `onSuspended`; the events in between will follow. */
  onResumed?(): void;
  /**
   * The watch is over: events it has not seen were compacted away. Read the present state and watch from there.
   * `compactRevision` is the oldest revision that can be watched from.
   */
  onCompacted(compactRevision: bigint): void;
  /** The watch is over: the server refuses it, and will again. */
  onError(error: EtcdError): void;
}

/** One watch, for whoever asked for it. */
export interface EtcdWatch {
  /** Ends the watch at once: nothing of the handler is called any more. */
  cancel(): void;
}
