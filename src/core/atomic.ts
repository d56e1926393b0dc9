import { checkValue, effectiveTtl, expectation, invalid, valueBytes } from "./arguments.js";
import type { Capabilities } from "./capabilities.js";
import type { Check, Transaction } from "./driver.js";
import type { KVPair } from "./pair.js";
import type { Atomic, CallOptions, Previous, PutOptions } from "./store.js";

type Writes = Transaction["writes"][number];

/** Collects the parts of a transaction, checked as they come; commits as often as it is asked to. */
export class AtomicBuilder implements Atomic {
  readonly #capabilities: Capabilities;
  readonly #canonical: (key: string) => string;
  readonly #commit: (
    transaction: Transaction,
    keepAlive: ReadonlySet<string>,
    options?: CallOptions,
  ) => Promise<KVPair[]>;
  readonly #checks: Check[] = [];
  readonly #writes: Writes[] = [];
  readonly #keepAlive = new Set<string>();

  constructor(
    capabilities: Capabilities,
    canonical: (key: string) => string,
    commit: (transaction: Transaction, keepAlive: ReadonlySet<string>, options?: CallOptions) => Promise<KVPair[]>,
  ) {
    this.#capabilities = capabilities;
    this.#canonical = canonical;
    this.#commit = commit;
  }

  check(key: string, previous: Previous): this {
    const canonical = this.#canonical(key);
    this.#checks.push({ key: canonical, expected: expectation(canonical, previous) });
    return this;
  }

  put(key: string, value: string | Uint8Array, options: Pick<PutOptions, "ttlMs" | "keepAlive"> = {}): this {
    const canonical = this.#canonical(key);
    const bytes = valueBytes(value);
    checkValue(bytes, this.#capabilities);
    const ttlMs = effectiveTtl(options, this.#capabilities);
    this.#add({ type: "put", key: canonical, value: bytes, ttlMs });
    if (options.keepAlive === true) this.#keepAlive.add(canonical);
    return this;
  }

  delete(key: string): this {
    this.#add({ type: "delete", key: this.#canonical(key) });
    return this;
  }

  async commit(options?: CallOptions): Promise<KVPair[]> {
    const size = this.#checks.length + this.#writes.length;
    if (size === 0) throw invalid("nothing to commit: no check, put or delete");
    const { maxOperations } = this.#capabilities.atomic;
    if (size > maxOperations) {
      throw invalid(
        `${size} checks, puts and deletes; ${this.#capabilities.backend} takes at most ${maxOperations} at once`,
      );
    }
    const transaction = { checks: [...this.#checks], writes: [...this.#writes] };
    return this.#commit(transaction, this.#keepAlive, options);
  }

  #add(write: Writes): void {
    if (this.#writes.some((other) => other.key === write.key)) {
      throw invalid(`the key ${JSON.stringify(write.key)} is written twice in one transaction`);
    }
    this.#writes.push(write);
  }
}
