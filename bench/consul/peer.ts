import Consul from "consul";
import { checkValue, keys, newValueOf, randomOrder } from "../harness/keys.js";
import { callers, latency, type Side, throughput } from "../harness/side.js";
import { benchKeys, peerWatchedKeys } from "./data.js";

/** What its `kv.get` gives. */
interface Item {
  readonly Value: Buffer;
  readonly ModifyIndex: number;
}

/** The sides of `consul`, opened as its documentation says. */
export class Peer {
  readonly #consul: Consul;
  readonly #order = randomOrder(benchKeys);
  readonly #delivered = new Map<string, () => void>();
  #watches: { end(): void }[] = [];
  #next = 0;

  constructor(host: string) {
    const [name = "", port = ""] = host.split(":");
    this.#consul = new Consul({ host: name, port: Number(port) });
  }

  get(inflight: number, mode: "consistent" | "stale"): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        checkValue((await this.#get(keys[index]!, { [mode]: true })).Value, index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        await this.#consul.kv.set({ key: keys[index]!, value: newValueOf(index) });
      }),
    );
  }

  cas(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#next++ % benchKeys;
        const { ModifyIndex } = await this.#get(keys[index]!, { consistent: true });
        const swapped = await this.#consul.kv.set({
          key: keys[index]!,
          value: newValueOf(index),
          cas: ModifyIndex,
        });
        if (!swapped) throw new Error("the swap was refused");
      }),
    );
  }

  /** Its watches need a connection each. */
  readonly watch: Side = latency(async (milliseconds) => {
    if (this.#watches.length === 0) await this.#startWatches();
    const times: number[] = [];
    const end = performance.now() + milliseconds;
    while (performance.now() < end) {
      const key = peerWatchedKeys[this.#index() % peerWatchedKeys.length]!;
      const start = performance.now();
      const delivered = new Promise<void>((resolve) => this.#delivered.set(key, resolve));
      await this.#consul.kv.set({ key, value: String(start) });
      await delivered;
      times.push(performance.now() - start);
    }
    return times;
  });

  close(): void {
    for (const watch of this.#watches) watch.end();
  }

  async #startWatches(): Promise<void> {
    const started = peerWatchedKeys.map((key) => {
      const first = new Promise<void>((resolve) => this.#delivered.set(key, resolve));
      const watch = this.#consul.watch({ method: this.#consul.kv.get.bind(this.#consul.kv), options: { key } });
      watch.on("change", () => this.#delivered.get(key)?.());
      this.#watches.push(watch);
      return first;
    });
    await Promise.all(started);
  }

  /** Its types leave out `buffer`, `stale` and `consistent`, which it takes. */
  async #get(key: string, mode: Record<string, boolean>): Promise<Item> {
    const options: { key: string } = Object.assign({ key, buffer: true }, mode);
    const item: unknown = await this.#consul.kv.get(options);
    return item as Item;
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
