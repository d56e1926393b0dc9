import { isStoreError, outcomeOfCode, StoreError } from "./errors.js";
import type { LockHold, StateChange, Store } from "./store.js";

/** What ends with a namespace: calls, iterations, locks, keys kept alive, listeners, and the namespaces inside it. */
export class NamespaceLife {
  /** Full names of the keys that were put with keepAlive. */
  readonly kept = new Set<string>();
  readonly holds = new Set<LockHold>();
  readonly #store: Store;
  readonly #rename: (error: unknown) => unknown;
  readonly #endings = new Set<() => void>();
  readonly #namespaces = new Set<Store>();
  readonly #listeners = new Set<(change: StateChange) => void>();
  #unsubscribe: (() => void) | undefined;
  #closed = false;

  /** `rename` makes errors of the store below this namespace's. */
  constructor(store: Store, rename: (error: unknown) => unknown) {
    this.#store = store;
    this.#rename = rename;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** An error as the namespace's callers see it; what was refused before it reached the store was not applied. */
  rename(error: unknown, write = false): unknown {
    const renamed = this.#rename(error);
    if (!write || !isStoreError(renamed)) return renamed;
    return renamed.with({ outcome: outcomeOfCode(renamed.code, "unknown") });
  }

  /** Runs what needs no waiting, its errors renamed. */
  now<T>(write: boolean, call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw this.rename(error, write);
    }
  }

  /** Throws `CLOSED` once the namespace is. */
  check(): void {
    if (this.#closed) throw this.closedError();
  }

  closedError(): StoreError {
    const { backend } = this.#store;
    return new StoreError("CLOSED", "the namespace is closed", { backend, outcome: undefined });
  }

  /** Calls `end` when the namespace closes; gives a function that forgets it. */
  onClose(end: () => void): () => void {
    this.#endings.add(end);
    return () => this.#endings.delete(end);
  }

  /** Runs a call of the store below. Closing the namespace rejects it; a write may then still happen. */
  async run<T>(write: boolean, call: () => Promise<T>): Promise<T> {
    let forget: (() => void) | undefined;
    try {
      if (this.#closed) throw this.closedError().with({ outcome: write ? "not-applied" : undefined });
      const closed = new Promise<never>((_, reject) => {
        forget = this.onClose(() => reject(this.closedError().with({ outcome: write ? "unknown" : undefined })));
      });
      return await Promise.race([call(), closed]);
    } catch (error) {
      throw this.rename(error, write);
    } finally {
      forget?.();
    }
  }

  /** A namespace inside this one, which ends with it; gives a function that forgets it. */
  addNamespace(inner: Store): () => void {
    this.#namespaces.add(inner);
    return () => this.#namespaces.delete(inner);
  }

  onStateChange(listener: (change: StateChange) => void): () => void {
    const own = (change: StateChange): void => listener(change);
    this.#listeners.add(own);
    this.#unsubscribe ??= this.#store.onStateChange((change) => {
      for (const each of this.#listeners) each(change);
    });
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const previous = this.#store.state;
    this.#closed = true;
    this.#unsubscribe?.();
    for (const end of this.#endings) end();
    if (previous !== "closed") {
      for (const each of this.#listeners) each({ state: "closed", previous, lostKeys: [], restoredKeys: [] });
    }
    this.#listeners.clear();
    await Promise.all([
      ...Array.from(this.holds, (hold) => hold[Symbol.asyncDispose]()),
      ...Array.from(this.#namespaces, (inner) => inner.close()),
    ]);
  }
}
