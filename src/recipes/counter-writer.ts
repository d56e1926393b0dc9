import { randomBytes } from "node:crypto";
import { isStoreError, StoreError } from "../core/errors.js";
import type { KVPair } from "../core/pair.js";
import type { Store } from "../core/store.js";
import { Backoff } from "../util/backoff.js";
import { sleep } from "../util/sleep.js";
import { type LastAdd, readCounter, rememberedWriters, writeCounter } from "./counter-record.js";
import { isPassing } from "./outages.js";

/** What an addition needs of those who wait for it. */
export interface AddOptions {
  /** Called before a write is sent that may be applied. */
  readonly onSend: () => void;
  /** Whether anybody still waits; the addition is given up when nobody does. */
  readonly isWanted: () => boolean;
}

/** Adds to one key by compare-and-set, one addition at a time, each exactly once, through lost answers and outages. */
export class CounterWriter {
  readonly #store: Store;
  readonly #key: string;
  readonly #id = randomBytes(6).toString("hex");
  #sequence = 0;
  /** What the last addition left, while nobody else seems to write: it saves the next one its read. */
  #known: KVPair | undefined;

  constructor(store: Store, key: string) {
    this.#store = store;
    this.#key = key;
  }

  /** Gives the count right after the addition. */
  async add(amount: bigint, { onSend, isWanted }: AddOptions): Promise<bigint> {
    const sequence = ++this.#sequence;
    const backoff = new Backoff({ initialMs: 2, maximumMs: 200 });
    let known = this.#known;
    this.#known = undefined;
    let uncertain = false;
    let failure: unknown;
    while (isWanted()) {
      try {
        const pair = known ?? (await this.#store.get(this.#key));
        known = undefined;
        const record = readCounter(this.#store.backend, pair);
        const applied = uncertain ? this.#find(record.writers, sequence) : undefined;
        if (applied !== undefined) return applied.count;
        const last: LastAdd = { writer: this.#id, sequence, count: record.count + amount };
        onSend();
        this.#known = await this.#store.atomicPut(this.#key, writeCounter(record, last), pair);
        return last.count;
      } catch (error) {
        failure = error;
        if (isStoreError(error) && error.outcome === "unknown") uncertain = true;
        else if (!isConflict(error) && !isPassing(error)) throw error;
        await sleep(backoff.next());
      }
    }
    throw failure;
  }

  /**
   * What this writer did, if the answer to it was lost: the record says so. It no longer says anything of a writer that
   * it forgot, and then nobody can know.
   */
  #find(writers: readonly LastAdd[], sequence: number): LastAdd | undefined {
    const own = writers.find(({ writer }) => writer === this.#id);
    if (own !== undefined) return own.sequence === sequence ? own : undefined;
    if (writers.length < rememberedWriters) return undefined;
    throw new StoreError("TIMEOUT", "the answer was lost, and too many others have added since to tell what happened", {
      backend: this.#store.backend,
      key: this.#key,
      outcome: "unknown",
    });
  }
}

function isConflict(error: unknown): boolean {
  return isStoreError(error, "KEY_MODIFIED") || isStoreError(error, "KEY_EXISTS");
}
