import { connect, type ZooKeeperClient } from "kvasir/zookeeper/client";
import { checkValue, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, type Side, throughput } from "../harness/side.js";
import { benchKeys } from "./data.js";

/** Our client without the store: one request for each call, as the peer sends them. */
export class Client {
  readonly #client: ZooKeeperClient;
  readonly #order = randomOrder(benchKeys);
  #next = 0;

  private constructor(client: ZooKeeperClient) {
    this.#client = client;
  }

  static async open(hosts: string): Promise<Client> {
    return new Client(await connect({ servers: hosts }));
  }

  get(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        checkValue((await this.#client.getData(`/${keys[index]!}`)).data ?? undefined, index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, () => {
        const index = this.#index();
        return this.#client.setData(`/${keys[index]!}`, valueOf(index));
      }),
    );
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
