import { isStoreError, type StoreErrorCode } from "../core/errors.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";

/** Codes of what may be over in a moment: the store is away or overloaded, or a lock was lost on the way to it. */
const passing: ReadonlySet<StoreErrorCode> = new Set(["UNREACHABLE", "TIMEOUT", "BUSY", "FILE_LOCKED", "LOCK_LOST"]);

/** Whether it makes sense to try the same again later. */
export function isPassing(error: unknown): boolean {
  return isStoreError(error) && passing.has(error.code);
}

/** Asks again, with growing pauses, for as long as the store is away. Only for what may be asked twice. */
export async function throughOutages<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const backoff = new Backoff({ initialMs: 50, maximumMs: 2_000 });
  for (;;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      await sleep(backoff.next(), { signal });
    }
  }
}
