import {
  checkValue,
  consistencyOf,
  effectiveTtl,
  expectation,
  invalid,
  positiveInteger,
  valueBytes,
} from "./arguments.js";
import type { Capabilities } from "./capabilities.js";
import type { Check, DeleteOperation, Driver, ListQuery, PutOperation } from "./driver.js";
import { isStoreError, StoreError } from "./errors.js";
import { canonicalDirectory, canonicalKey } from "./keys.js";
import { defaults } from "./options.js";
import type { DeleteTreeOptions, ListOptions, LockOptions, Previous, PutOptions, ReadOptions } from "./store.js";

/** Whether a conditional write may expect the key to be absent. */
type Comparison = { readonly previous: Previous; readonly mayBeAbsent: boolean };

/**
 * What callers give, checked at the edge and turned into what drivers take. Everything thrown says which store and key
 * it speaks of, and for writes that nothing happened.
 */
export class Input {
  readonly #driver: Driver;
  readonly #capabilities: Capabilities;

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#capabilities = driver.capabilities;
  }

  /** The canonical form of a key that this backend can store. */
  key(key: string, write: boolean): string {
    try {
      const canonical = canonicalKey(key);
      const refusal = this.#driver.refuseKey?.(canonical);
      if (refusal !== undefined) throw new StoreError("NOT_SUPPORTED", refusal, { key: canonical });
      return canonical;
    } catch (error) {
      throw this.#explained(error, write, typeof key === "string" ? key.slice(0, 80).toWellFormed() : undefined);
    }
  }

  directory(directory: string): string {
    return this.#checked(false, undefined, () => canonicalDirectory(directory));
  }

  /** A directory to delete: the root only when that is said twice. */
  tree(directory: string, options: DeleteTreeOptions): string {
    return this.#checked(true, undefined, () => {
      const canonical = canonicalDirectory(directory);
      if (canonical !== "" || options.root === true) return canonical;
      throw invalid('deleting everything takes deleteTree("", { root: true })');
    });
  }

  consistency(options: ReadOptions | undefined, key: string): ListQuery["consistency"] {
    return options === undefined ? "linearizable" : this.#checked(false, key, () => consistencyOf(options));
  }

  put(key: string, value: unknown, comparison?: Comparison): PutOperation {
    const canonical = this.key(key, true);
    return this.#checked(true, canonical, () => {
      const expected = comparison && expectation(canonical, comparison.previous);
      return { type: "put", key: canonical, value: this.#value(value), expected };
    });
  }

  delete(key: string, comparison?: Comparison): DeleteOperation {
    const canonical = this.key(key, true);
    return this.#checked(true, canonical, () => {
      const expected = comparison && expectation(canonical, comparison.previous);
      if (expected === "absent" && comparison?.mayBeAbsent === false) {
        throw invalid("previous is a pair or { revision }: there is nothing to delete otherwise");
      }
      return { type: "delete", key: canonical, expected };
    });
  }

  check(key: string, previous: Previous): Check {
    const canonical = this.key(key, true);
    return this.#checked(true, canonical, () => ({ key: canonical, expected: expectation(canonical, previous) }));
  }

  /** The ttl that will take effect, if one is asked for. */
  ttl(options: Pick<PutOptions, "ttlMs" | "keepAlive"> | undefined, key: string): number | undefined {
    if (options === undefined) return undefined;
    return this.#checked(true, key, () => effectiveTtl(options, this.#capabilities));
  }

  /** The function of an `update`, before anything is read for it. */
  updater(fn: unknown, key: string): void {
    this.#checked(true, key, () => {
      if (typeof fn !== "function") throw invalid(`update takes a function, not ${typeof fn}`);
    });
  }

  query(directory: string, keysOnly: boolean, options: ListOptions): ListQuery {
    return this.#checked(false, undefined, () => ({
      directory: canonicalDirectory(directory),
      limit: positiveInteger("limit", options.limit),
      depth: positiveInteger("depth", options.depth),
      keysOnly,
      consistency: consistencyOf(options),
    }));
  }

  pageSize(pageSize: number | undefined): number {
    return this.#checked(false, undefined, () => positiveInteger("pageSize", pageSize)) ?? defaults.scanPageSize;
  }

  lock(key: string, options: LockOptions): { key: string; value: Uint8Array; ttlMs: number } {
    const canonical = this.key(key, true);
    return this.#checked(true, canonical, () => {
      const ttlMs = effectiveTtl({ ttlMs: options.ttlMs ?? defaults.lockTtlMs }, this.#capabilities)!;
      return { key: canonical, value: this.#value(options.value ?? ""), ttlMs };
    });
  }

  /** For checks that belong to one call alone. */
  refuse(reason: string, key?: string): StoreError {
    const { backend, endpoint } = this.#driver;
    return invalid(reason).with({ backend, endpoint, key, outcome: "not-applied" });
  }

  /** For a transaction about several keys, where the backend can compare and write only one at a time. */
  refuseAcrossKeys(): StoreError {
    const { backend, endpoint } = this.#driver;
    const reason = `${backend} compares and writes one key at a time; this commit is about several`;
    return new StoreError("NOT_SUPPORTED", reason, { backend, endpoint, outcome: "not-applied" });
  }

  #value(value: unknown): Uint8Array {
    const bytes = valueBytes(value);
    checkValue(bytes, this.#capabilities);
    return bytes;
  }

  #checked<T>(write: boolean, key: string | undefined, check: () => T): T {
    try {
      return check();
    } catch (error) {
      throw this.#explained(error, write, key);
    }
  }

  #explained(error: unknown, write: boolean, key: string | undefined): unknown {
    if (!isStoreError(error)) return error;
    const { backend, endpoint } = this.#driver;
    return error.with({ backend, endpoint, key, outcome: write ? "not-applied" : undefined });
  }
}
