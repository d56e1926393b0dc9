import { connectEtcd, type EtcdStore } from "kvasir/etcd";
import { checkValue, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, latency, repeated, type Side, throughput } from "../harness/side.js";
import { benchKeys, listed, ourWatchedKeys } from "./data.js";

/** Our sides: one store, opened as its documentation says. */
export class Ours {
  readonly #store: EtcdStore;
  readonly #order = randomOrder(benchKeys);
  #next = 0;
  #watched: AsyncIterator<unknown>[] = [];

  private constructor(store: EtcdStore) {
    this.#store = store;
  }

  /** Puts all the keys, for every side to read. */
  static async open(host: string): Promise<Ours> {
    const store = await connectEtcd({ endpoints: [host], maxPending: benchKeys });
    await Promise.all(Array.from({ length: benchKeys }, (_, at) => store.put(keys[at]!, valueOf(at))));
    return new Ours(store);
  }

  get(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        checkValue((await this.#store.get(keys[index]!))?.value, index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, () => {
        const index = this.#index();
        return this.#store.put(keys[index]!, valueOf(index));
      }),
    );
  }

  /** Reads a key and swaps it; no two callers have the same key. */
  cas(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#next++ % benchKeys;
        const pair = await this.#store.get(keys[index]!);
        await this.#store.atomicPut(keys[index]!, valueOf(index), pair);
      }),
    );
  }

  readonly list: Side = repeated(
    benchKeys,
    async () => {},
    async () => {
      const pairs = await this.#store.list(listed);
      if (pairs.length !== benchKeys) throw new Error(`${pairs.length} keys listed`);
      for (const [index, { value }] of pairs.entries()) checkValue(value, index);
    },
  );

  /** From a put to its delivery to one of 1,000 watches, in milliseconds: the share `quantile` took no longer. */
  watch(quantile: number): Side {
    return latency(async (milliseconds) => {
      if (this.#watched.length === 0) {
        this.#watched = ourWatchedKeys.map((key) => this.#store.watch(key)[Symbol.asyncIterator]());
        await Promise.all(this.#watched.map((watch) => watch.next()));
      }
      const times: number[] = [];
      const end = performance.now() + milliseconds;
      while (performance.now() < end) {
        const at = this.#index() % ourWatchedKeys.length;
        const start = performance.now();
        const delivered = this.#watched[at]!.next();
        await this.#store.put(ourWatchedKeys[at]!, String(start));
        await delivered;
        times.push(performance.now() - start);
      }
      return times;
    }, quantile);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
