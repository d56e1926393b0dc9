import { expect } from "vitest";
import { StoreError } from "../../../src/core/errors.js";

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
