import type { StoreError } from "../core/errors.js";
import type { Store } from "../core/store.js";
import { sleep } from "../util/sleep.js";

/** The longest pause after a question that was not answered, in milliseconds. */
const pauseAfterFailureMs = 1_000;

/**
 * Asks the store again and again whether it answers. A watch that waits for changes cannot tell a quiet server from one
 * that a dead network hides, and some backends wait minutes before they look.
 */
export class StoreProbe {
  readonly #closed = new AbortController();

  /** `onAnswer` is told of each answer; `onFailure` of each question that was not answered in the store's own time. */
  constructor(
    store: Store,
    intervalMs: number,
    { onAnswer, onFailure }: { onAnswer: () => void; onFailure: (reason: StoreError) => void },
  ) {
    const { signal } = this.#closed;
    const ask = async (): Promise<void> => {
      let pauseMs = intervalMs;
      for (;;) {
        await sleep(pauseMs, { signal });
        try {
          await store.ping({ signal });
        } catch (error) {
          signal.throwIfAborted();
          onFailure(error as StoreError);
          pauseMs = Math.min(intervalMs, pauseAfterFailureMs);
          continue;
        }
        onAnswer();
        pauseMs = intervalMs;
      }
    };
    // It ends by its signal only.
    ask().catch(() => undefined);
  }

  close(): void {
    this.#closed.abort();
  }
}
