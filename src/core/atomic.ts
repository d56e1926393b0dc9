import type { Capabilities } from "./capabilities.js";
import type { Check, Transaction } from "./driver.js";
import type { Input } from "./input.js";
import type { KVPair } from "./pair.js";
import type { Atomic, CallOptions, Previous, PutOptions } from "./store.js";

type Write = Transaction["writes"][number];

/** Sends a transaction; `keepAlive` names the keys whose ttl is to be renewed. */
export type Commit = (
  transaction: Transaction,
  keepAlive: ReadonlySet<string>,
  options: CallOptions | undefined,
) => Promise<KVPair[]>;

/** Collects the parts of a transaction, checked as they come; commits as often as it is asked to. */
export class AtomicBuilder implements Atomic {
  readonly #input: Input;
  readonly #limits: Capabilities["atomic"];
  readonly #commit: Commit;
  readonly #checks: Check[] = [];
  readonly #writes: Write[] = [];
  readonly #keepAlive = new Set<string>();

  constructor(input: Input, limits: Capabilities["atomic"], commit: Commit) {
    this.#input = input;
    this.#limits = limits;
    this.#commit = commit;
  }

  check(key: string, previous: Previous): this {
    this.#checks.push(this.#input.check(key, previous));
    return this;
  }

  put(key: string, value: string | Uint8Array, options: Pick<PutOptions, "ttlMs" | "keepAlive"> = {}): this {
    const put = this.#input.put(key, value);
    this.#add({ type: "put", key: put.key, value: put.value, ttlMs: this.#input.ttl(options, put.key) });
    if (options.keepAlive === true) this.#keepAlive.add(put.key);
    return this;
  }

  delete(key: string): this {
    this.#add({ type: "delete", key: this.#input.key(key, true) });
    return this;
  }

  async commit(options?: CallOptions): Promise<KVPair[]> {
    const size = this.#checks.length + this.#writes.length;
    if (size === 0) throw this.#input.refuse("nothing to commit: no check, put or delete");
    const { maxOperations, acrossKeys } = this.#limits;
    const keys = new Set([...this.#checks, ...this.#writes].map(({ key }) => key));
    if (keys.size > 1 && !acrossKeys) throw this.#input.refuseAcrossKeys();
    if (size > maxOperations) {
      throw this.#input.refuse(`${size} checks, puts and deletes; one commit takes at most ${maxOperations}`);
    }
    const transaction = { checks: [...this.#checks], writes: [...this.#writes] };
    return this.#commit(transaction, this.#keepAlive, options);
  }

  #add(write: Write): void {
    if (this.#writes.some((other) => other.key === write.key)) {
      throw this.#input.refuse("the key is written twice in one transaction", write.key);
    }
    this.#writes.push(write);
  }
}
