import assert from "node:assert/strict";
import { isStoreError, type Outcome, type StoreError, type StoreErrorCode } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";

/** What a rejection should look like. */
export interface Expected {
  code: StoreErrorCode;
  key?: string;
  outcome?: Outcome;
}

/**
 * The call rejects (it does not throw before there is a promise) with a `StoreError` of this code. Gives the error for
 * more questions.
 */
export async function rejects(call: () => Promise<unknown>, expected: StoreErrorCode | Expected): Promise<StoreError> {
  const { code, key, outcome } = typeof expected === "string" ? { code: expected } : expected;
  const error = await rejection(call);
  assert.ok(isStoreError(error), `a StoreError ${code} was expected, not ${String(error)}`);
  assert.equal(error.code, code, `${error.message}; ${code} was expected`);
  if (key !== undefined) assert.equal(error.key, key, `the error names key ${String(error.key)}, not ${key}`);
  if (outcome !== undefined) assert.equal(error.outcome, outcome, `${error.message}: outcome ${String(error.outcome)}`);
  return error;
}

/** What the call rejects with. */
export async function rejection(call: () => Promise<unknown>): Promise<unknown> {
  let promise: Promise<unknown>;
  try {
    promise = call();
  } catch (error) {
    return assert.fail(`the call threw instead of rejecting: ${String(error)}`);
  }
  const settled = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("error" in settled) return settled.error;
  return assert.fail(`the call resolved with ${show(settled.value)} instead of rejecting`);
}

/** The pair is there and spells this text. */
export function hasText(pair: KVPair | undefined, text: string, what = "the pair"): KVPair {
  assert.ok(pair !== undefined, `${what} is absent; the text ${JSON.stringify(text)} was expected`);
  assert.equal(pair.text(), text);
  return pair;
}

/** The same bytes, with a message that shows them. */
export function sameBytes(actual: Uint8Array | undefined, expected: Uint8Array, what = "the value"): void {
  assert.ok(actual !== undefined, `${what} is absent`);
  assert.ok(actual instanceof Uint8Array, `${what} is no Uint8Array`);
  assert.equal(Buffer.from(actual).toString("hex"), Buffer.from(expected).toString("hex"), `${what} differs`);
}

/** The pairs as `key=text`, for comparing lists at a glance. */
export function lines(pairs: readonly KVPair[]): string[] {
  return pairs.map((pair) => `${pair.key}=${pair.text()}`);
}

/** The keys of the pairs, for comparing lists at a glance. */
export function names(pairs: readonly KVPair[]): string[] {
  return pairs.map((pair) => pair.key);
}

/** The order of keys that the contract asks for, computed in the plainest way. */
export function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Whether the promise has settled by now; asking costs one turn of the event loop. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol("pending");
  const settled = promise.then(
    () => undefined,
    () => undefined,
  );
  const turn = new Promise((resolve) => setImmediate(() => resolve(pending)));
  return (await Promise.race([settled, turn])) !== pending;
}

function show(value: unknown): string {
  try {
    return (
      JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part)) ?? "undefined"
    );
  } catch {
    return String(value);
  }
}
