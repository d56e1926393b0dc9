import { connectZookeeper, type ZookeeperStore } from "kvasir/zookeeper";
import { checkValue, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, repeated, type Side, throughput } from "../harness/side.js";
import { benchKeys, treeDirectory, treeKeys } from "./data.js";

/** Our sides: one store, opened as its documentation says. */
export class Ours {
  readonly #store: ZookeeperStore;
  readonly #order = randomOrder(benchKeys);
  #next = 0;

  private constructor(store: ZookeeperStore) {
    this.#store = store;
  }

  /** Puts all the keys, for every side to read. */
  static async open(host: string): Promise<Ours> {
    const store = await connectZookeeper({ endpoints: [host], maxPending: benchKeys, timeoutMs: 60_000 });
    await Promise.all(Array.from({ length: benchKeys }, (_, at) => store.put(keys[at]!, valueOf(at))));
    await Promise.all(treeKeys.map((key, at) => store.put(key, valueOf(at))));
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
        return this.#store.put(keys[index]!, valueOf(index));
      }),
    );
  }

  readonly list: Side = repeated(
    treeKeys.length,
    async () => {},
    async () => {
      const pairs = await this.#store.list(treeDirectory);
      if (pairs.length !== treeKeys.length) throw new Error(`listed ${pairs.length} keys`);
      checkValue(pairs[4_321]!.value, 4_321);
    },
  );

  close(): Promise<void> {
    return this.#store.close();
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
