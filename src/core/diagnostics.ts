import { channel, type TracingChannel, tracingChannel } from "node:diagnostics_channel";
import type { StateChange } from "./store.js";

/** What a `kvasir:call` event tells of a call; never a value. */
export interface CallEvent {
  readonly operation: string;
  readonly backend: string;
  readonly endpoint: string;
  readonly key: string | undefined;
  /** How often it was sent, and with how many others the last time; known when the call has settled. */
  attempt: number;
  batchSize: number;
}

/** What a `kvasir:batch` event tells of a request that left. */
export interface BatchEvent {
  readonly operation: "read" | "write";
  readonly backend: string;
  readonly endpoint: string;
  readonly batchSize: number;
  /** 1 for the first sending of the oldest call in the batch. */
  readonly attempt: number;
}

/** What a `kvasir:watch` event tells of a watch. */
export interface WatchEvent {
  readonly event: "started" | "snapshot" | "changes" | "failed" | "ended";
  readonly backend: string;
  readonly endpoint: string;
  readonly key: string;
  readonly watchers: number;
}

/** What a `kvasir:state` event tells. */
export interface StateEvent extends StateChange {
  readonly backend: string;
  readonly endpoint: string;
}

export const batchChannel = channel("kvasir:batch");
export const watchChannel = channel("kvasir:watch");
export const stateChannel = channel("kvasir:state");
const callChannel: TracingChannel<CallEvent> = tracingChannel("kvasir:call");
const callChannels = [
  callChannel.start,
  callChannel.end,
  callChannel.asyncStart,
  callChannel.asyncEnd,
  callChannel.error,
];

/** Whether anybody listens to calls: asked first, so that nobody pays for what is not used. */
export function callsAreTraced(): boolean {
  return callChannels.some((each) => each.hasSubscribers);
}

/** Runs a call inside the tracing channel `kvasir:call`. Its result stays out of the event: no values there. */
export async function traceCall<T>(event: CallEvent, run: () => Promise<T>): Promise<T> {
  const results: T[] = [];
  await callChannel.tracePromise(async () => {
    results.push(await run());
  }, event);
  return results[0]!;
}
