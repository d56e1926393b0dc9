import { timeout } from "../core/arguments.js";
import { StoreError } from "../core/errors.js";
import type { CallOptions } from "../core/store.js";
import { systemClock } from "../util/clock.js";
import { checked } from "./checked.js";
import { linkSignals } from "./linked-signal.js";

/**
 * Runs work of several calls under one `signal` and one `timeoutMs`: the signal that the work gets fires for either, and
 * whatever the work then fails with, the caller is told the reason: its own, or a `TIMEOUT`.
 */
export async function withDeadline<T>(
  subject: { readonly backend: string; readonly key: string; readonly waitsFor: string },
  options: CallOptions | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { backend, key, waitsFor } = subject;
  const timeoutMs = checked({ backend, key }, () => timeout(options?.timeoutMs)) ?? Number.POSITIVE_INFINITY;
  options?.signal?.throwIfAborted();
  const late = new AbortController();
  const reason = (): StoreError =>
    new StoreError("TIMEOUT", `${waitsFor} took longer than ${timeoutMs} ms`, { backend, key, outcome: "not-applied" });
  const timer = Number.isFinite(timeoutMs) ? systemClock.after(timeoutMs, () => late.abort(reason())) : undefined;
  const { signal, unlink } = linkSignals(late.signal, options?.signal);
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    timer?.cancel();
    unlink();
  }
}
