import type { CallOptions, LockHold } from "../core/store.js";

/** A hold of a recipe: that of the plain lock it rests on, under the key that the caller knows. */
export class RecipeHold implements LockHold {
  readonly key: string;
  readonly #hold: LockHold;

  constructor(key: string, hold: LockHold) {
    this.key = key;
    this.#hold = hold;
  }

  get token(): bigint {
    return this.#hold.token;
  }

  get ttlMs(): number {
    return this.#hold.ttlMs;
  }

  get signal(): AbortSignal {
    return this.#hold.signal;
  }

  get held(): boolean {
    return this.#hold.held;
  }

  unlock(options?: CallOptions): Promise<void> {
    return this.#hold.unlock(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#hold[Symbol.asyncDispose]();
  }
}
