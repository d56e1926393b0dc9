import { afterAll, afterEach, beforeAll, describe } from "vitest";
import type { Store } from "../../src/core/store.js";
import { type RecipeBackend, recipeBackends, type RunningBackend } from "./recipes-backends.js";

/** What a test of one backend works with. */
export interface Bench {
  /** The shortest ttl that a loaded machine does not outlast, in milliseconds. */
  readonly ttlMs: number;
  /** A client of its own on this test's data, closed after the test. */
  readonly open: () => Promise<Store>;
}

/** Defines tests on every backend, each with data of its own. */
export function onEveryBackend(define: (bench: Bench, backend: RecipeBackend) => void): void {
  for (const backend of recipeBackends) {
    describe.skipIf(backend.skipped)(backend.name, () => {
      let running: RunningBackend;
      let tests = 0;
      let stores: Store[] = [];
      beforeAll(async () => {
        running = await backend.start();
      });
      afterAll(() => running.close());
      afterEach(async () => {
        await Promise.all(stores.map((store) => store.close()));
        stores = [];
        tests++;
      });
      const open = async (): Promise<Store> => {
        const whole = await running.openDirect();
        const store = whole.namespace(`test-${tests}`);
        stores.push(store, whole);
        return store;
      };
      define({ ttlMs: 2_000, open }, backend);
    });
  }
}

/** Items of an async iterable one at a time. */
export function reader<T>(iterable: AsyncIterable<T>): { next(): Promise<T>; stop(): Promise<unknown> } {
  const iterator = iterable[Symbol.asyncIterator]();
  return {
    next: async () => {
      const { done, value } = await iterator.next();
      if (done === true) throw new Error("the iterable ended");
      return value;
    },
    stop: async () => iterator.return?.(),
  };
}

/** Whether a promise is still pending after so long. */
export async function isPending(promise: Promise<unknown>, forMs: number): Promise<boolean> {
  const pending = Symbol("pending");
  // There is no event for what must not happen: the pause is what the test is about.
  const pause = new Promise((resolve) => setTimeout(() => resolve(pending), forMs));
  return (await Promise.race([promise.catch(() => undefined), pause])) === pending;
}

/** For bigints, which `sort` would compare as text. */
export function ascending(left: bigint | number, right: bigint | number): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
