import type { Clock } from "../util/clock.js";

/** What every backend's connect function takes beside its own options. */
export interface StoreOptions {
  /** How long a call may take unless it says otherwise, in milliseconds. Default 5,000. */
  timeoutMs?: number | undefined;
  /** How long to wait for the server when connecting, in milliseconds. Default 5,000. */
  connectTimeoutMs?: number | undefined;
  /** How many calls may be under way at once; one more rejects with `BUSY`. Default 65,536. */
  maxPending?: number | undefined;
  /** Whether concurrent calls share round trips. Default true. */
  batch?: boolean | undefined;
  /** Where time comes from. Default: the system. For tests. */
  clock?: Clock | undefined;
}

/** The defaults of `StoreOptions`, in milliseconds and calls. */
export const defaults = {
  timeoutMs: 5_000,
  connectTimeoutMs: 5_000,
  maxPending: 65_536,
  lockTtlMs: 15_000,
  scanPageSize: 1_000,
} as const;
