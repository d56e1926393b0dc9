import assert from "node:assert/strict";
import type { Capabilities } from "../core/capabilities.js";
import { isStoreError } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";
import type { Atomic, Store } from "../core/store.js";
import { rejects } from "./assertions.js";
import type { CaseContext } from "./case.js";

/**
 * Puts a key that has keys below it, or that lies below a key. Where the capabilities say that the backend cannot,
 * checks that it refuses; whether the key is there now.
 */
export async function putBeside(
  store: Store,
  capabilities: Capabilities,
  key: string,
  value: string,
): Promise<boolean> {
  if (capabilities.keys.withChildren === "never") {
    await rejects(() => store.put(key, value), { code: "NOT_SUPPORTED", key, outcome: "not-applied" });
    return false;
  }
  await store.put(key, value);
  return true;
}

/**
 * Commits a transaction about several keys. Where the capabilities say that the backend cannot, checks that it refuses;
 * `undefined` then.
 */
export async function commitAcross(capabilities: Capabilities, transaction: Atomic): Promise<KVPair[] | undefined> {
  if (capabilities.atomic.acrossKeys) return transaction.commit();
  await rejects(() => transaction.commit(), { code: "NOT_SUPPORTED", outcome: "not-applied" });
  return undefined;
}

/** Puts a key that a backend may refuse by its capabilities; `undefined` when it did. */
export async function putIfTaken(
  store: Store,
  capabilities: Capabilities,
  key: string,
  value: string | Uint8Array,
): Promise<KVPair | undefined> {
  try {
    return await store.put(key, value);
  } catch (error) {
    if (isStoreError(error, "NOT_SUPPORTED") && capabilities.keys.refuses.length > 0) return undefined;
    throw error;
  }
}

/** Puts several keys, one after the other, each with its own name as value. */
export async function putAll(store: Store, keys: readonly string[]): Promise<void> {
  for (const key of keys) await store.put(key, key);
}

/** The next item of a watch, which must come soon and not be the end. */
export async function nextItem<T>(context: CaseContext, watch: AsyncIterator<T>, what: string): Promise<T> {
  const item = await context.within(watch.next(), `the watch to show ${what}`);
  assert.equal(item.done ?? false, false, `the watch ended instead of showing ${what}`);
  return item.value as T;
}

/** Lets time pass in small steps, as a renewal needs it: a clock that jumps past a deadline leaves no time to renew. */
export async function passInSteps(context: CaseContext, ms: number): Promise<void> {
  if (context.timing.advance === undefined) return context.pass(ms);
  const stepMs = context.timing.ttlMs / 10;
  for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) await context.pass(Math.min(stepMs, leftMs));
}
