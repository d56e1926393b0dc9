import { StoreError } from "../core/errors.js";
import type { DeleteOperation, PutOperation, WriteAnswer, WriteOperation } from "../core/driver.js";
import { KVPair } from "../core/pair.js";
import { equalBytes } from "../util/bytes.js";
import { type KvOperation, type KvResult, Operation } from "./client/transaction.js";
import { refusal } from "./errors.js";

/** What a transaction came to for one write: its answer, or what has to be sent after it. */
export type Verdict = WriteAnswer | Step;

/**
 * The part of a write that goes into one transaction. Steps are of classes, and add to a list that is there already: what is
 * made by literals V8 may come to allocate among its old objects, where each put would stay until the next full collection.
 */
export abstract class Step<Write extends WriteOperation = WriteOperation> {
  /** The place of the write among the answers. */
  readonly at: number;
  readonly write: Write;

  constructor(at: number, write: Write) {
    this.at = at;
    this.write = write;
  }

  /** An earlier step of the write was carried out, so it cannot come to nothing any more. */
  get applied(): boolean {
    return false;
  }

  /** The same in more operations, where this one needs another of its transaction to tell that transaction's index. */
  get anchor(): Step | undefined {
    return undefined;
  }

  abstract addTo(operations: KvOperation[]): void;

  /** When the transaction was carried out: the last result of these operations, and the transaction's own index. */
  abstract carriedOut(last: KvResult | undefined, index: number): Verdict;

  /** When one of the operations was the reason for its refusal. */
  refused(what: string): Verdict {
    return comparisonFailed(this.write, what);
  }
}

/** Keys that sessions of this very store hold. */
export interface OwnLeases {
  has(key: string): boolean;
  delete(key: string): unknown;
}

/** How a write begins; `at` is its place among the answers. */
export function stepOf(write: WriteOperation, at: number, own: OwnLeases): Step {
  if (write.type === "delete") return new DeleteStep(at, write);
  return own.has(write.key) ? new ReplaceStep(at, write, own) : new SetStep(at, write, needsMoreThanSwap(write));
}

/**
 * A put is one `set`, or one `cas`, in nearly all cases. Two things it leaves to be done, and its result shows both:
 *
 * - A set of the bytes that are there already changes nothing: no new index, and no watch wakes. The index in the result is
 *   then not that of the transaction, and the put is sent again in its `changing` form, which first sets something else.
 * - A set keeps the session that a put with a ttl gave the key, which would still go with it: `FreeStep` follows.
 */
class SetStep extends Step<PutOperation> {
  readonly #changing: boolean;

  constructor(at: number, write: PutOperation, changing: boolean) {
    super(at, write);
    this.#changing = changing;
  }

  override get anchor(): Step | undefined {
    if (this.#changing || this.write.expected !== undefined) return undefined;
    return new SetStep(this.at, this.write, true);
  }

  addTo(operations: KvOperation[]): void {
    const { key, value, expected } = this.write;
    if (this.#changing) {
      operations.push(...checkOf(this.write));
      // Whatever there was before, the second set changes it.
      operations.push(new Operation("set", key, value.length === 0 ? another : empty));
    }
    if (this.#changing || expected === undefined) operations.push(new Operation("set", key, value));
    else operations.push(new Operation("cas", key, value, expected === "absent" ? 0n : expected.revision));
  }

  carriedOut(last: KvResult | undefined, index: number): Verdict {
    const { at, write } = this;
    const result = last!;
    if (result.Session) return new FreeStep(at, write, result);
    return this.#changing || this.#hasChanged(result, index) ? pairAt(write, result) : new SetStep(at, write, true);
  }

  #hasChanged(result: KvResult, index: number): boolean {
    const { expected } = this.write;
    if (expected === undefined) return result.ModifyIndex === index;
    return expected === "absent" || indexOf(result) !== expected.revision;
  }
}

/** A key that a session of this store holds is replaced at once, so that the session's end cannot come in between. */
class ReplaceStep extends Step<PutOperation> {
  readonly #own: OwnLeases;

  constructor(at: number, write: PutOperation, own: OwnLeases) {
    super(at, write);
    this.#own = own;
  }

  addTo(operations: KvOperation[]): void {
    const { key, value } = this.write;
    operations.push(...checkOf(this.write), { verb: "delete", key }, { verb: "set", key, value });
  }

  carriedOut(last: KvResult | undefined): Verdict {
    this.#own.delete(this.write.key);
    return pairAt(this.write, last!);
  }
}

/** What comes after a set that was carried out, so that the write cannot come to nothing any more. */
abstract class LaterStep extends Step<PutOperation> {
  /** The result of that set. */
  protected readonly set: KvResult;

  constructor(at: number, write: PutOperation, set: KvResult) {
    super(at, write);
    this.set = set;
  }

  override get applied(): boolean {
    return true;
  }

  carriedOut(last: KvResult | undefined): Verdict {
    return pairAt(this.write, last!);
  }

  override refused(what: string): Verdict {
    return refusal(what, this.write.key)?.with({ outcome: "unknown" }) ?? this.overtaken(what);
  }

  /** Another write, or the end of the session, came in between. */
  protected abstract overtaken(what: string): Verdict;
}

/** Frees a key from the session that it kept through a set, if it is still as that set left it. */
class FreeStep extends LaterStep {
  addTo(operations: KvOperation[]): void {
    const { key, value } = this.write;
    const index = indexOf(this.set);
    operations.push({ verb: "check-index", key, index }, { verb: "delete", key }, { verb: "set", key, value });
  }

  protected override overtaken(what: string): Verdict {
    if (/doesn't exist/.test(what)) return new RestoreStep(this.at, this.write, this.set);
    // Another write came after this one, and is the one to free the key.
    return pairAt(this.write, this.set);
  }
}

/** The session ended between the set and the freeing, and took the key along: it is put again, unless others did. */
class RestoreStep extends LaterStep {
  addTo(operations: KvOperation[]): void {
    const { key, value } = this.write;
    operations.push({ verb: "cas", key, value, index: 0n });
  }

  protected override overtaken(): Verdict {
    return pairAt(this.write, this.set);
  }
}

class DeleteStep extends Step<DeleteOperation> {
  addTo(operations: KvOperation[]): void {
    const { key, expected } = this.write;
    // `delete-cas` says success for a missing key, and a plain delete too: so a check, or a get, goes before it.
    if (expected === undefined) operations.push({ verb: "get", key });
    else operations.push(...checkOf(this.write));
    operations.push({ verb: "delete", key });
  }

  carriedOut(): Verdict {
    return true;
  }

  override refused(what: string): Verdict {
    const { key, expected } = this.write;
    return expected === undefined ? (refusal(what, key) ?? false) : super.refused(what);
  }
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

const empty = new Uint8Array(0);
const another = Uint8Array.of(0);

function pairAt({ key, value }: PutOperation, result: KvResult): KVPair {
  return new KVPair(key, value, indexOf(result));
}

function indexOf({ ModifyIndex }: KvResult): bigint {
  return BigInt(ModifyIndex);
}
