import { expect } from "vitest";
import type { Store } from "../../src/core/store.js";

/** Watches of many keys of one store, and what each was told last. */
export class FollowedKeys {
  readonly #told = new Map<string, string | undefined>();
  readonly #revisions = new Map<string, bigint>();
  readonly #watches: AsyncIterator<unknown>[] = [];
  readonly #followed: Promise<void>[] = [];

  /** Begins to watch, and resolves when each was told a first time. */
  async follow(store: Store, keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const watch = store.watch(key)[Symbol.asyncIterator]();
      this.#watches.push(watch);
      const followed = (async () => {
        for (;;) {
          const { value: pair, done } = await watch.next();
          if (done === true) return;
          if (pair !== undefined) this.#note(key, pair.revision);
          this.#told.set(key, pair?.text());
        }
      })();
      this.#followed.push(followed);
    }
    await this.#until(() => keys.every((key) => this.#told.has(key)));
  }

  /** Resolves when each knows what `store` holds, which nobody writes to meanwhile. */
  async expectToBeCurrent(store: Store, directory: string): Promise<void> {
    const pairs = await store.list(directory);
    const held = new Map(pairs.map((pair) => [pair.key, pair.text()]));
    const wrong = (): string[] => [...this.#told.keys()].filter((key) => this.#told.get(key) !== held.get(key));
    await this.#until(() => wrong().length === 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.#watches.map((watch) => watch.return!()));
    await Promise.all(this.#followed);
  }

  #note(key: string, revision: bigint): void {
    const before = this.#revisions.get(key) ?? 0n;
    if (revision < before) throw new Error(`the watch of ${key} went back from revision ${before} to ${revision}`);
    this.#revisions.set(key, revision);
  }

  /** A watch that ends with an error ends the waiting too. */
  async #until(condition: () => boolean): Promise<void> {
    await Promise.race([expect.poll(condition, { timeout: 30_000 }).toBe(true), Promise.all(this.#followed)]);
  }
}

/** One change after the other to keys by chance: new values, equal ones, deletes, by several stores in turn. */
export async function changeByChance(stores: readonly Store[], keys: readonly string[], times: number): Promise<void> {
  for (let change = 0; change < times; change++) {
    const key = keys[Math.floor(Math.random() * keys.length)]!;
    const store = stores[change % stores.length]!;
    if (change % 5 === 0) await store.delete(key);
    else await store.put(key, change % 7 === 0 ? "the same" : `${change} `.padEnd(100, "."));
  }
}
