import { Backoff } from "../util/backoff.js";
import type { Clock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import { isStoreError, StoreError } from "./errors.js";
import type { KVPair } from "./pair.js";
import type { PutOptions, Store, Updater } from "./store.js";

/** Read, ask, compare and set, until nobody was faster. `timeoutMs` is for all of it. */
export async function updateKey(
  store: Pick<Store, "get" | "atomicPut" | "atomicDelete">,
  clock: Clock,
  key: string,
  fn: Updater,
  options: PutOptions & { readonly timeoutMs: number },
): Promise<KVPair | undefined> {
  const deadline = clock.now() + options.timeoutMs;
  const backoff = new Backoff({ initialMs: 2, maximumMs: 200 });
  const rest = (conflict?: unknown): { timeoutMs: number; signal: AbortSignal | undefined } => {
    const timeoutMs = deadline - clock.now();
    if (timeoutMs > 0) return { timeoutMs, signal: options.signal };
    const reason = conflict === undefined ? "the update took too long" : "others kept changing the key first";
    throw new StoreError("TIMEOUT", reason, { key, outcome: "not-applied", cause: conflict });
  };
  for (;;) {
    const current = await store.get(key, rest()).catch((error: unknown) => {
      throw isStoreError(error) ? error.with({ outcome: "not-applied" }) : error;
    });
    const value = await fn(current);
    if (value === undefined) return current;
    try {
      if (value !== null) return await store.atomicPut(key, value, current, { ...options, ...rest() });
      if (current !== undefined) await store.atomicDelete(key, current, rest());
      return undefined;
    } catch (error) {
      if (!isStoreError(error, "KEY_MODIFIED") && !isStoreError(error, "KEY_EXISTS")) throw error;
      const pauseMs = Math.min(backoff.next(), rest(error).timeoutMs);
      await sleep(pauseMs, { signal: options.signal, clock });
      rest(error);
    }
  }
}
