import { expect } from "vitest";
import { StoreError } from "../../../src/core/errors.js";
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
