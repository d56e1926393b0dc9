import type { CallOptions, Lock, LockHold } from "./store.js";

/** What a lock needs of its namespace. */
export interface LockNamespace {
  /** The key as the namespace's callers know it. */
  readonly key: string;
  /** The holds that the namespace's `close()` gives back. */
  readonly holds: Set<LockHold>;
  /** Runs a call of the lock below, its errors renamed. */
  run<T>(call: () => Promise<T>): Promise<T>;
}

/** A lock of a namespace: the lock below under its short name. */
export class NamespacedLock implements Lock {
  readonly key: string;
  readonly #lock: Lock;
  readonly #namespace: LockNamespace;
  #hold: LockHold | undefined;

  constructor(lock: Lock, namespace: LockNamespace) {
    this.key = namespace.key;
    this.#lock = lock;
    this.#namespace = namespace;
  }

  async lock(options?: CallOptions): Promise<LockHold> {
    return this.#own(await this.#namespace.run(() => this.#lock.lock(options)));
  }

  async tryLock(options?: CallOptions): Promise<LockHold | undefined> {
    const hold = await this.#namespace.run(() => this.#lock.tryLock(options));
    return hold === undefined ? undefined : this.#own(hold);
  }

  async unlock(options?: CallOptions): Promise<void> {
    if (this.#hold !== undefined) this.#namespace.holds.delete(this.#hold);
    this.#hold = undefined;
    await this.#namespace.run(() => this.#lock.unlock(options));
  }

  #own(hold: LockHold): LockHold {
    const namespace = this.#namespace;
    const { key, holds } = namespace;
    const own: LockHold = {
      key,
      token: hold.token,
      ttlMs: hold.ttlMs,
      signal: hold.signal,
      get held() {
        return hold.held;
      },
      unlock: (options) => {
        holds.delete(own);
        return namespace.run(() => hold.unlock(options));
      },
      [Symbol.asyncDispose]: () => {
        holds.delete(own);
        return hold[Symbol.asyncDispose]();
      },
    };
    this.#hold = own;
    holds.add(own);
    hold.signal.addEventListener("abort", () => holds.delete(own), { once: true });
    return own;
  }
}
