import { StoreError } from "./errors.js";
import type { NamespaceLife } from "./namespace-life.js";
import type { CallOptions, Lock, LockHold } from "./store.js";

/** A lock of a namespace: the lock below under its short name. */
export class NamespacedLock implements Lock {
  readonly key: string;
  readonly #lock: Lock;
  readonly #life: NamespaceLife;

  constructor(lock: Lock, key: string, life: NamespaceLife) {
    this.#lock = lock;
    this.key = key;
    this.#life = life;
  }

  lock(options?: CallOptions): Promise<LockHold> {
    return this.#take(options, async (own) => this.#own(await this.#lock.lock(own)));
  }

  tryLock(options?: CallOptions): Promise<LockHold | undefined> {
    return this.#take(options, async (own) => {
      const hold = await this.#lock.tryLock(own);
      return hold && this.#own(hold);
    });
  }

  unlock(options?: CallOptions): Promise<void> {
    return this.#life.run(true, () => this.#lock.unlock(options));
  }

  /** A wait that ends, on the server too, when the namespace closes. */
  #take<T>(options: CallOptions | undefined, take: (options: CallOptions) => Promise<T>): Promise<T> {
    const ended = new AbortController();
    const { signal } = options ?? {};
    const onAbort = (): void => ended.abort(signal!.reason);
    const forget = this.#life.onClose(() => ended.abort(this.#life.closedError()));
    return this.#life.run(true, async () => {
      if (signal?.aborted === true) onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        return await take({ ...options, signal: ended.signal });
      } finally {
        signal?.removeEventListener("abort", onAbort);
        forget();
      }
    });
  }

  #own(hold: LockHold): LockHold {
    const life = this.#life;
    const { holds } = life;
    const loss = new AbortController();
    const lost = (reason: unknown): void => {
      forget();
      loss.abort(reason);
    };
    // Whoever works under the lock is told before it is given back, as when the store itself closes.
    const forget = life.onClose(() => {
      const reason = "the namespace was closed, and its locks with it";
      lost(life.rename(new StoreError("LOCK_LOST", reason, { key: hold.key })));
    });
    const own: LockHold = {
      key: this.key,
      token: hold.token,
      ttlMs: hold.ttlMs,
      signal: loss.signal,
      get held() {
        return hold.held && !loss.signal.aborted;
      },
      unlock: (options) => {
        forget();
        holds.delete(own);
        return life.run(true, () => hold.unlock(options));
      },
      [Symbol.asyncDispose]: () => {
        forget();
        holds.delete(own);
        return hold[Symbol.asyncDispose]();
      },
    };
    holds.add(own);
    const onLoss = (): void => {
      holds.delete(own);
      lost(life.rename(hold.signal.reason));
    };
    if (hold.signal.aborted) onLoss();
    else hold.signal.addEventListener("abort", onLoss, { once: true });
    return own;
  }
}
