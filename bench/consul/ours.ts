import { connectConsul, type ConsulStore } from "kvasir/consul";
import { checkValue, keys, newValueOf, randomOrder, valueOf } from "../harness/keys.js";
import { callers, latency, type Side, throughput } from "../harness/side.js";
import { benchKeys, ourWatchedKeys, peerWatchedKeys } from "./data.js";

/** Our sides: one store, opened as its documentation says. */
export class Ours {
  readonly #store: ConsulStore;
  readonly #order = randomOrder(benchKeys);
  #next = 0;
  #watched: AsyncIterator<unknown>[] = [];

  private constructor(store: ConsulStore) {
    this.#store = store;
  }

  /** Puts all the keys, for every side to read. */
  static async open(host: string): Promise<Ours> {
    const store = await connectConsul({ endpoints: [host], maxPending: benchKeys });
    await Promise.all(Array.from({ length: benchKeys }, (_, at) => store.put(keys[at]!, valueOf(at))));
    // There before they are watched: the watch of a missing key wakes at every write beside it.
    await Promise.all([...ourWatchedKeys, ...peerWatchedKeys].map((key) => store.put(key, "0")));
    return new Ours(store);
  }

  get(inflight: number, consistency: "linearizable" | "stale"): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        checkValue((await this.#store.get(keys[index]!, { consistency }))?.value, index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, () => {
        const index = this.#index();
        return this.#store.put(keys[index]!, newValueOf(index));
      }),
    );
  }

  /** Reads a key and swaps it; each caller has keys of its own. */
  cas(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#next++ % benchKeys;
        const pair = await this.#store.get(keys[index]!);
        await this.#store.atomicPut(keys[index]!, newValueOf(index), pair);
      }),
    );
  }

  /** From a put to its delivery to one of 500 watches, in milliseconds. */
  readonly watch: Side = latency(async (milliseconds) => {
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
  });

  close(): Promise<void> {
    return this.#store.close();
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
