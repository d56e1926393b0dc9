import { type Event, WatchRequest } from "./generated/watch.js";
import { encodeMessage } from "./methods.js";
import type { WatchHandler, WatchRequestOptions } from "./watch.js";

/** One watch as the watcher keeps it. */
export interface WatchState {
  /** Chosen here, which servers take from 3.4 on; older ones choose another. Never used for a second watch. */
  readonly id: bigint;
  /** What the server calls it on this stream, once it has set it up. */
  serverId: bigint;
  readonly options: WatchRequestOptions;
  readonly handler: WatchHandler;
  /** First revision not seen yet; 0 until the server has named the revision that "now" was. */
  next: bigint;
  /** Parts of an answer that was cut up, until its last. */
  parts: Event[] | undefined;
  created: boolean;
  suspended: boolean;
  cancelled: boolean;
  /** How often in a row the server refused it for want of permission. */
  refusals: number;
}

/** A watch that the server has not been asked for. The caller's bytes are copied. */
export function newWatch(id: bigint, options: WatchRequestOptions, handler: WatchHandler): WatchState {
  return {
    id,
    serverId: 0n,
    options: { ...options, key: options.key.slice(), rangeEnd: options.rangeEnd?.slice() },
    handler,
    next: options.startRevision ?? 0n,
    parts: undefined,
    created: false,
    suspended: false,
    cancelled: false,
    refusals: 0,
  };
}

/** Asks the server for a watch, from the first revision it has not seen. */
export function createMessage(watch: WatchState): Uint8Array {
  const { key, rangeEnd, prevKv, filters } = watch.options;
  const createRequest = {
    key,
    rangeEnd: rangeEnd ?? new Uint8Array(0),
    startRevision: watch.next,
    progressNotify: false,
    filters: [...(filters ?? [])],
    prevKv: prevKv ?? false,
    watchId: watch.id,
    fragment: true,
  };
  return encodeMessage(WatchRequest, { requestUnion: { $case: "createRequest", createRequest } });
}

export function cancelMessage(watchId: bigint): Uint8Array {
  return encodeMessage(WatchRequest, { requestUnion: { $case: "cancelRequest", cancelRequest: { watchId } } });
}

export function progressMessage(): Uint8Array {
  return encodeMessage(WatchRequest, { requestUnion: { $case: "progressRequest", progressRequest: {} } });
}

export function revisionOf(event: Event): bigint {
  return event.kv?.modRevision ?? 0n;
}
