import type { Clock } from "../../util/clock.js";
import { sleep } from "../../util/sleep.js";
import { abortedError, unreachableError } from "./errors.js";

/** A shared promise with a bound of one's own. Nothing has been sent while a call waits here. */
export function within<T>(promise: Promise<T>, timeoutMs: number, signal: AbortSignal | undefined, clock: Clock) {
  return new Promise<T>((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortedError(signal, "not-applied"));
    const timer = clock.after(timeoutMs, () => reject(unreachableError("any endpoint", undefined)));
    const onAbort = (): void => reject(abortedError(signal!, "not-applied"));
    signal?.addEventListener("abort", onAbort, { once: true });
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    };
    void promise.finally(done).then(resolve, reject);
  });
}

/** Waits between two tries of a call. */
export async function pause(delayMs: number, signal: AbortSignal | undefined, clock: Clock): Promise<void> {
  try {
    await sleep(delayMs, { signal, clock });
  } catch {
    throw abortedError(signal!, "not-applied");
  }
}
