import { isStoreError } from "../core/errors.js";
import type { CallOptions, LockHold, LockOptions, Store } from "../core/store.js";

export interface WithLockOptions extends LockOptions, CallOptions {}

/**
 * Runs `fn` under the lock on `key` and gives what it gives. `signal` and `timeoutMs` are for the wait (default: without
 * end); a loss while `fn` runs is told by `hold.signal`. Rejects with `LOCK_LOST` when the lock was lost before `fn`
 * had ended, since its work may not have been alone.
 */
export function withLock<T>(
  store: Store,
  key: string,
  fn: (hold: LockHold) => T | Promise<T>,
  options: WithLockOptions = {},
): Promise<T> {
  const { value, ttlMs, ...call } = options;
  return withHold(() => store.newLock(key, { value, ttlMs }).lock(call), fn);
}

/**
 * The same for any hold, such as that of an `RWLock` or a `Semaphore`:
 * `withHold(() => semaphore.acquire({ timeoutMs: 5_000 }), fn)`.
 */
export async function withHold<Hold extends LockHold, T>(
  acquire: () => Promise<Hold>,
  fn: (hold: Hold) => T | Promise<T>,
): Promise<T> {
  const hold = await acquire();
  let result: T;
  try {
    result = await fn(hold);
  } catch (error) {
    await releaseQuietly(hold);
    throw error;
  }
  await release(hold);
  return result;
}

/** Gives a hold back. One that cannot be given back because the store is away runs out by itself: no harm to the caller. */
async function release(hold: LockHold): Promise<void> {
  try {
    await hold.unlock();
  } catch (error) {
    if (isStoreError(error, "LOCK_LOST")) throw error;
  }
}

/** Gives a hold back whatever state it is in. Never rejects. */
export function releaseQuietly(hold: LockHold): Promise<void> {
  return hold[Symbol.asyncDispose]();
}
