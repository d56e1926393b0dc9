import { StoreError } from "../core/errors.js";
import type { DeleteOperation, PutOperation, WriteAnswer, WriteOperation } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import { equalBytes } from "../util/bytes.js";
import type { KvOperation, KvResult } from "./client/transaction.js";
import { refusal } from "./errors.js";

/** What a transaction came to for one write: its answer, or what has to be sent after it. */
export type Verdict = { readonly answer: WriteAnswer } | { readonly next: Step };

/** The part of a write that goes into one transaction. */
export interface Step {
  readonly operations: readonly KvOperation[];
  /** When the transaction was carried out: these are the results of the operations, `index` is the transaction's own. */
  readonly carriedOut: (results: readonly KvResult[], index: number) => Verdict;
  /** When one of the operations was the reason for its refusal. */
  readonly refused: (what: string) => Verdict;
  /** An earlier step of the write was carried out, so it cannot come to nothing any more. */
  readonly applied?: boolean | undefined;
  /** The same in more operations, where this one needs another of its transaction to tell that transaction's index. */
  readonly anchor?: (() => Step) | undefined;
}

/** Keys that sessions of this very store hold. */
export interface OwnLeases {
  has(key: string): boolean;
  delete(key: string): unknown;
}

/** How a write begins. */
export function stepOf(write: WriteOperation, own: OwnLeases): Step {
  if (write.type === "delete") return deleteStep(write);
  return own.has(write.key) ? replaceStep(write, own) : setStep(write, "plain");
}

/**
 * A put is one `set`, or one `cas`, in nearly all cases. Two things it leaves to be done, and its result shows both:
 *
 * - A set of the bytes that are there already changes nothing: no new index, and no watch wakes. The index in the result is
 *   then not that of the transaction, and the put is sent again in its `changing` form, which first sets something else.
 * - A set keeps the session that a put with a ttl gave the key, which would still go with it: `freeStep` follows.
 */
function setStep(write: PutOperation, form: "plain" | "changing"): Step {
  const { key, value, expected } = write;
  const changing = form === "changing" || needsMoreThanSwap(write);
  return {
    operations: changing ? [...checkOf(write), ...changingSet(write)] : [setOrSwap(write)],
    carriedOut: (results, index) => {
      const result = results.at(-1)!;
      if (result.Session) return { next: freeStep(write, result) };
      const before = expected === undefined ? undefined : expected === "absent" ? 0n : expected.revision;
      const changed = changing || (before === undefined ? result.ModifyIndex === index : indexOf(result) !== before);
      return changed ? { answer: pairAt(key, value, result) } : { next: setStep(write, "changing") };
    },
    refused: (what) => ({ answer: comparisonFailed(write, what) }),
    anchor: changing || expected !== undefined ? undefined : () => setStep(write, "changing"),
  };
}

/** A key that a session of this store holds is replaced at once, so that the session's end cannot come in between. */
function replaceStep(write: PutOperation, own: OwnLeases): Step {
  const { key, value } = write;
  return {
    operations: [...checkOf(write), { verb: "delete", key }, { verb: "set", key, value }],
    carriedOut: (results) => {
      own.delete(key);
      return { answer: pairAt(key, value, results.at(-1)!) };
    },
    refused: (what) => ({ answer: comparisonFailed(write, what) }),
  };
}

/** Frees a key from the session that it kept through a set, if it is still as that set left it. */
function freeStep(write: PutOperation, set: KvResult): Step {
  const { key, value } = write;
  return {
    applied: true,
    operations: [
      { verb: "check-index", key, index: indexOf(set) },
      { verb: "delete", key },
      { verb: "set", key, value },
    ],
    carriedOut: (results) => ({ answer: pairAt(key, value, results.at(-1)!) }),
    refused: (what) => {
      const denial = refusal(what, key);
      if (denial !== undefined) return { answer: denial.with({ outcome: "unknown" }) };
      if (/doesn't exist/.test(what)) return { next: restoreStep(write, set) };
      // Another write came after this one, and is the one to free the key.
      return { answer: pairAt(key, value, set) };
    },
  };
}

/** The session ended between the set and the freeing, and took the key along: it is put again, unless others did. */
function restoreStep(write: PutOperation, set: KvResult): Step {
  const { key, value } = write;
  return {
    applied: true,
    operations: [{ verb: "cas", key, value, index: 0n }],
    carriedOut: (results) => ({ answer: pairAt(key, value, results.at(-1)!) }),
    refused: (what) => ({ answer: refusal(what, key)?.with({ outcome: "unknown" }) ?? pairAt(key, value, set) }),
  };
}

function deleteStep(write: DeleteOperation): Step {
  const { key, expected } = write;
  // `delete-cas` says success for a missing key, and a plain delete too: so a check, or a get, goes before it.
  const guard: KvOperation[] = expected === undefined ? [{ verb: "get", key }] : checkOf(write);
  return {
    operations: [...guard, { verb: "delete", key }],
    carriedOut: () => ({ answer: true }),
    refused: (what) => ({
      answer: expected === undefined ? (refusal(what, key) ?? false) : comparisonFailed(write, what),
    }),
  };
}

/** The operation that holds a transaction to what was expected, if anything. */
export function checkOf({ key, expected }: Pick<WriteOperation, "key" | "expected">): KvOperation[] {
  if (expected === undefined) return [];
  if (expected === "absent") return [{ verb: "check-not-exists", key }];
  return [{ verb: "check-index", key, index: expected.revision }];
}

/** Which comparison it was that did not hold. */
export function comparisonFailed(
  { key, expected }: Pick<WriteOperation, "key" | "expected">,
  what: string,
): StoreError {
  const reason = refusal(what, key);
  if (reason !== undefined) return reason;
  if (expected === undefined) return new StoreError("BACKEND", what, { key, outcome: "not-applied" });
  const details = { key, outcome: "not-applied" as const };
  if (expected === "absent") return new StoreError("KEY_EXISTS", "the key exists", details);
  return new StoreError("KEY_MODIFIED", "the key was changed or deleted since it was read", details);
}

/** Whether a `cas` will not do: the value is there already, or the index is 0, which means "absent" to it. */
function needsMoreThanSwap({ value, expected }: PutOperation): boolean {
  if (expected === undefined || expected === "absent") return false;
  return expected.revision === 0n || (expected.value !== undefined && equalBytes(expected.value, value));
}

function setOrSwap({ key, value, expected }: PutOperation): KvOperation {
  if (expected === undefined) return { verb: "set", key, value };
  return { verb: "cas", key, value, index: expected === "absent" ? 0n : expected.revision };
}

const empty = new Uint8Array(0);
const another = Uint8Array.of(0);

/** Whatever there was before, the second set changes it. */
function changingSet({ key, value }: PutOperation): KvOperation[] {
  return [
    { verb: "set", key, value: value.length === 0 ? another : empty },
    { verb: "set", key, value },
  ];
}

function pairAt(key: string, value: Uint8Array, result: KvResult): KVPair {
  return new KVPair(key, value, indexOf(result));
}

function indexOf({ ModifyIndex }: KvResult): bigint {
  return BigInt(ModifyIndex);
}
