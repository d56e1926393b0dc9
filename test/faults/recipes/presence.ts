import type { Store } from "../../../src/core/store.js";
import { createDiscovery } from "../../../src/recipes/index.js";
import { waitUntil } from "../../servers/index.js";

/** When an instance came and went, as a watcher sees it that nothing cuts off. */
export class Presence {
  readonly #closed = new AbortController();
  /** By the monotonic clock: when it came, when it went, and so on. */
  readonly #turns: { readonly present: boolean; readonly at: number }[] = [];
  readonly #done: Promise<void>;

  constructor(store: Store, id: string) {
    const follow = async (): Promise<void> => {
      const { signal } = this.#closed;
      for await (const { instances } of createDiscovery(store).watch("web", { signal })) {
        const present = instances.some((instance) => instance.id === id);
        if (present !== (this.#turns.at(-1)?.present ?? false)) this.#turns.push({ present, at: performance.now() });
      }
    };
    this.#done = follow().catch((error: unknown) => {
      if (!this.#closed.signal.aborted) throw error;
    });
  }

  get present(): boolean {
    return this.#turns.at(-1)?.present ?? false;
  }

  /** How often it went. */
  get departures(): number {
    return this.#turns.filter(({ present }) => !present).length;
  }

  /** When that became so, which it must within the time. */
  async until(present: boolean, timeoutMs: number): Promise<number> {
    const what = present ? "the instance is there" : "the instance is gone";
    await waitUntil(what, async () => this.present === present, { timeoutMs, intervalMs: 5 });
    return this.#turns.at(-1)?.at ?? performance.now();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#done;
  }
}
