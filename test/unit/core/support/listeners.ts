import { getEventListeners } from "node:events";

/** Asks how many `abort` listeners a signal has now. */
export function countListeners(signal: AbortSignal): () => number {
  return () => getEventListeners(signal, "abort").length;
}
