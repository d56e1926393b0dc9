import { StoreError } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";
import type { Store } from "../core/store.js";
import { systemClock, type Timer } from "../util/clock.js";
import { throughOutages } from "./outages.js";

/** What a look found, or nothing yet. */
export type Found<T> = { readonly value: T } | undefined;

/**
 * Waits until `look` finds something: it looks now, after each change below `directory`, and every `againMs` where that
 * is given. A watch may be a little behind, so it only says when to look; what counts is what `look` reads itself. What
 * was there at a look and went again before the watch came to it may be no change to the watch: a `look` that such things
 * can mislead needs `againMs`. Outages do not end the wait.
 */
export async function waitFor<T>(
  store: Store,
  directory: string,
  look: (seen: readonly KVPair[]) => Promise<Found<T>>,
  options: { readonly signal: AbortSignal; readonly againMs?: number | undefined },
): Promise<T> {
  const { signal, againMs } = options;
  const watch = store.watchTree(directory, { signal })[Symbol.asyncIterator]();
  try {
    let item = await watch.next();
    for (;;) {
      if (item.done === true) throw new StoreError("CLOSED", "the store was closed", { backend: store.backend });
      const seen = item.value.pairs;
      const next = watch.next();
      // Whoever leaves this loop early does not wait for it any more.
      next.catch(() => undefined);
      let found = await throughOutages(() => look(seen), signal);
      while (found === undefined && (await isFirst(next, againMs)) === "pause") {
        found = await throughOutages(() => look(seen), signal);
      }
      if (found !== undefined) return found.value;
      item = await next;
    }
  } finally {
    await watch.return?.();
  }
}

/** Whether the promise settles before so many milliseconds have passed. Never rejects. */
function isFirst(promise: Promise<unknown>, pauseMs: number | undefined): Promise<"settled" | "pause"> {
  return new Promise((resolve) => {
    let timer: Timer | undefined;
    const settled = (): void => {
      timer?.cancel();
      resolve("settled");
    };
    if (pauseMs !== undefined) timer = systemClock.after(pauseMs, () => resolve("pause"));
    promise.then(settled, settled);
  });
}
