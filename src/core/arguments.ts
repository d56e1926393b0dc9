import { isUtf8 } from "node:buffer";
import { copyBytes, encodeUtf8, pooledCopy } from "../util/bytes.js";
import type { Capabilities } from "./capabilities.js";
import type { Expectation } from "./driver.js";
import { StoreError } from "./errors.js";
import { canonicalKey } from "./keys.js";
import { KVPair } from "./pair.js";
import type { Consistency, Previous } from "./store.js";

/** Up to this length a copy lies within its array object; a longer one would have memory of its own, which costs more than it. */
const longestInObject = 64;

/** The bytes to store, the caller's own no longer: changing the argument afterwards changes nothing. */
export function valueBytes(value: unknown): Uint8Array {
  if (typeof value === "string") {
    if (value.isWellFormed()) return encodeUtf8(value);
    throw invalid("the value holds half of a surrogate pair; encode it to bytes yourself");
  }
  if (value instanceof Uint8Array) return value.length > longestInObject ? pooledCopy(value) : copyBytes(value);
  throw invalid(`a value is a string or a Uint8Array, not ${typeName(value)}; JSON.stringify objects yourself`);
}

/** Refuses a value that the backend could not carry, before anything is sent. */
export function checkValue(value: Uint8Array, { backend, values }: Capabilities): void {
  if (value.length > values.maxBytes) {
    const reason = `the value is ${value.length} bytes; ${backend} takes at most ${values.maxBytes}`;
    throw new StoreError("VALUE_TOO_LARGE", reason);
  }
  if (values.content === "utf-8" && !isUtf8(value)) {
    throw new StoreError("NOT_SUPPORTED", `${backend} stores only UTF-8 values`);
  }
}

/** A positive whole number, or `undefined` where none was given. */
export function positiveInteger(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return value;
  throw invalid(`${name} is a whole number above 0, not ${String(value)}`);
}

/** A timeout in milliseconds, `Infinity` allowed. */
export function timeout(value: number | undefined): number | undefined {
  if (value === undefined || (typeof value === "number" && value > 0)) return value;
  throw invalid(`timeoutMs is a number of milliseconds above 0, not ${String(value)}`);
}

/** The ttl that will take effect: rounded up to what the backend can, and refused above its maximum. */
export function effectiveTtl(
  options: { ttlMs?: number | undefined; keepAlive?: boolean | undefined },
  { backend, ttl }: Capabilities,
): number | undefined {
  const ttlMs = positiveInteger("ttlMs", options.ttlMs);
  if (ttlMs === undefined) {
    if (options.keepAlive === true) throw invalid("keepAlive needs a ttlMs");
    return undefined;
  }
  if (ttlMs > ttl.maximumMs) throw invalid(`ttlMs is ${ttlMs}; ${backend} takes at most ${ttl.maximumMs}`);
  return Math.ceil(Math.max(ttlMs, ttl.minimumMs) / ttl.granularityMs) * ttl.granularityMs;
}

/** What a compare-and-set of `key` compares with. */
export function expectation(key: string, previous: Previous): Expectation {
  if (previous === null || previous === undefined) return "absent";
  if (typeof previous !== "object" || typeof previous.revision !== "bigint") {
    throw invalid("previous is a pair, { revision }, or null or undefined for an absent key");
  }
  if (!(previous instanceof KVPair)) return { revision: previous.revision };
  if (canonicalKey(previous.key) !== key) {
    throw invalid(`previous is a pair of ${JSON.stringify(previous.key)}, not of this key`);
  }
  return { revision: previous.revision, value: copyBytes(previous.value) };
}

/** Bad input, refused before anything is sent. */
export function invalid(reason: string): StoreError {
  return new StoreError("INVALID_ARGUMENT", reason);
}

function typeName(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeof value;
}

/** What a read asks for. */
export function consistencyOf(options: { consistency?: unknown }): Consistency {
  const consistency = options.consistency ?? "linearizable";
  if (consistency === "linearizable" || consistency === "stale") return consistency;
  throw invalid(`consistency is "linearizable" or "stale", not ${JSON.stringify(consistency)}`);
}
