import { Etcd3, type Watcher } from "etcd3";
import { checkValue, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, latency, repeated, type Side, throughput } from "../harness/side.js";
import { benchKeys, listed, peerWatchedKeys } from "./data.js";

/** The sides of `etcd3`, opened as its documentation says. */
export class Peer {
  readonly #client: Etcd3;
  readonly #order = randomOrder(benchKeys);
  readonly #delivered = new Map<string, () => void>();
  #watchers: Watcher[] = [];
  #next = 0;

  constructor(host: string) {
    this.#client = new Etcd3({ hosts: host });
  }

  get(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        checkValue((await this.#client.get(keys[index]!).buffer()) ?? undefined, index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        await this.#client.put(keys[index]!).value(valueOf(index));
      }),
    );
  }

  cas(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#next++ % benchKeys;
        const key = keys[index]!;
        const [kv] = (await this.#client.get(key).exec()).kvs;
        const swap = this.#client
          .if(key, "Mod", "==", kv!.mod_revision)
          .then(this.#client.put(key).value(valueOf(index)));
        if (!(await swap.commit()).succeeded) throw new Error("the swap was refused");
      }),
    );
  }

  readonly list: Side = repeated(
    benchKeys,
    async () => {},
    async () => {
      const values = Object.values(await this.#client.getAll().prefix(`${listed}/`).buffers());
      if (values.length !== benchKeys) throw new Error(`${values.length} keys listed`);
      for (const [index, value] of values.entries()) checkValue(value, index);
    },
  );

  watch(quantile: number): Side {
    return latency(async (milliseconds) => {
      if (this.#watchers.length === 0) await this.#startWatches();
      const times: number[] = [];
      const end = performance.now() + milliseconds;
      while (performance.now() < end) {
        const key = peerWatchedKeys[this.#index() % peerWatchedKeys.length]!;
        const start = performance.now();
        const delivered = new Promise<void>((resolve) => this.#delivered.set(key, resolve));
        await this.#client.put(key).value(String(start));
        await delivered;
        times.push(performance.now() - start);
      }
      return times;
    }, quantile);
  }

  /** Its watches would go on asking for a connection, and keep the process alive. */
  async close(): Promise<void> {
    await Promise.all(this.#watchers.map((watcher) => watcher.cancel()));
    this.#client.close();
  }

  async #startWatches(): Promise<void> {
    this.#watchers = await Promise.all(
      peerWatchedKeys.map(async (key) => {
        const watcher = await this.#client.watch().key(key).create();
        return watcher.on("put", () => this.#delivered.get(key)?.());
      }),
    );
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
