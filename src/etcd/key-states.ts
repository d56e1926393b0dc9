import { Batcher } from "../core/batcher.js";
import { isStoreError, type StoreError } from "../core/errors.js";
import { KVPair } from "../core/pair.js";
import { copyBytes } from "../util/bytes.js";
import { maxTxnOperations } from "./capabilities.js";
import { type RangeResponse, rangeOp } from "./client/index.js";
import type { Cluster } from "./cluster.js";
import { rangeIn } from "./reads.js";
import type { ScopeState } from "./watch-state.js";

/** How long one request for states may take, in milliseconds, before it fails and is asked for again. */
const requestTimeoutMs = 10_000;

interface Item {
  readonly key: string;
  readonly resolve: (state: ScopeState) => void;
  readonly reject: (error: StoreError) => void;
}

/**
 * Reads the states that watches of single keys begin with. Watches that begin together, thousands after an outage, share
 * requests.
 */
export class KeyStates {
  readonly #cluster: Cluster;
  readonly #batcher: Batcher<Item>;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#batcher = new Batcher<Item>({
      limits: { maxOperations: maxTxnOperations, maxBytes: Number.POSITIVE_INFINITY, concurrency: 2 },
      weigh: () => 0,
      isLive: () => true,
      run: (items) => this.#run(items),
    });
  }

  /** Rejects with a `StoreError`. */
  read(key: string): Promise<ScopeState> {
    return new Promise((resolve, reject) => this.#batcher.add({ key, resolve, reject }));
  }

  async #run(items: readonly Item[]): Promise<void> {
    try {
      const states = await this.#read(items);
      for (const [at, item] of items.entries()) item.resolve(states[at]!);
    } catch (error) {
      // One key that may not be read fails the request for all: each alone then.
      const alone = items.length > 1 && isStoreError(error, "PERMISSION_DENIED");
      if (alone) await Promise.all(items.map((item) => this.#run([item])));
      else for (const item of items) item.reject(error as StoreError);
    }
  }

  #read(items: readonly Item[]): Promise<ScopeState[]> {
    const { keys, client, clock } = this.#cluster;
    const ranges = items.map(({ key }) => ({ key: keys.encode(key) }));
    return this.#cluster.reading({ deadline: clock.now() + requestTimeoutMs }, async (bounds) => {
      if (ranges.length === 1) {
        const answer = await client.kv.range(ranges[0]!, bounds);
        return [stateOf(items[0]!.key, answer, answer.header!.revision)];
      }
      const txn = { compare: [], success: ranges.map(rangeOp), failure: [] };
      const { header, responses } = await client.kv.txn(txn, { ...bounds, readOnly: true });
      return items.map(({ key }, at) => stateOf(key, rangeIn(responses[at]), header!.revision));
    });
  }
}

function stateOf(key: string, { kvs: [kv] }: RangeResponse, revision: bigint): ScopeState {
  if (kv === undefined) return { pairs: [], revision, newest: 0n };
  return { pairs: [new KVPair(key, copyBytes(kv.value), kv.modRevision)], revision, newest: kv.modRevision };
}
