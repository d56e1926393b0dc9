import { type Clock, systemClock } from "./clock.js";

/** Waits `delayMs`; an abort ends the wait at once by rejecting with the signal's reason. */
export function sleep(
  delayMs: number,
  options: { signal?: AbortSignal | undefined; clock?: Clock | undefined } = {},
): Promise<void> {
  const { signal, clock = systemClock } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal!.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
