import { expect } from "vitest";
import { isStoreError, StoreError } from "../../../src/core/errors.js";
import type { KVPair } from "../../../src/core/pair.js";
import type { Store } from "../../../src/core/store.js";
import type { TcpProxy } from "../../servers/index.js";

/** The `StoreError` that the call must end with. */
export async function failureOf(call: Promise<unknown>): Promise<StoreError> {
  const error = await call.then(
    (value) => `no error but ${String(value)}`,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  return error as StoreError;
}

/** Puts until it is acknowledged: again where nobody can say whether it was applied, as putting it twice does no harm. */
export async function putUntilDone(store: Store, key: string, value: string, timeoutMs: number): Promise<KVPair> {
  for (;;) {
    try {
      return await store.put(key, value, { timeoutMs });
    } catch (error) {
      if (!isStoreError(error) || error.outcome !== "unknown") throw error;
    }
  }
}

/** Items of a watch until one satisfies `isLast`, that one included. */
export async function itemsUntil<Item>(watch: AsyncIterator<Item>, isLast: (item: Item) => boolean): Promise<Item[]> {
  const items: Item[] = [];
  for (;;) {
    const { value, done } = await watch.next();
    if (done === true) throw new Error(`the watch ended after ${items.length} items`);
    items.push(value);
    if (isLast(value)) return items;
  }
}

/** Resolves when the signal fires. */
export function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Runs a call whose request is carried out and whose reply is lost; tells how many requests the call sent. */
export async function losingReply(
  proxy: TcpProxy,
  call: () => Promise<unknown>,
): Promise<{ error: StoreError; requests: number }> {
  const before = proxy.count.requests;
  const held = proxy.holdReplies();
  const failure = failureOf(call());
  await held.arrived();
  const requests = proxy.count.requests - before;
  proxy.cut();
  proxy.resume();
  return { error: await failure, requests };
}
