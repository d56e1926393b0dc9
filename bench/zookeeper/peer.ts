import { createRequire } from "node:module";
import { checkValue, keys, randomOrder, valueOf } from "../harness/keys.js";
import { callers, repeated, type Side, throughput } from "../harness/side.js";
import { benchKeys, treeDirectory, treeKeys } from "./data.js";

/** What is used of `node-zookeeper-client`, which comes without types. */
interface PeerModule {
  createClient(servers: string): PeerClient;
}

interface PeerClient {
  once(event: "connected", listener: () => void): void;
  connect(): void;
  close(): void;
  getData(path: string, callback: (error: Error | null, data: Buffer | undefined, stat: PeerStat) => void): void;
  setData(path: string, data: Buffer, callback: (error: Error | null) => void): void;
  getChildren(path: string, callback: (error: Error | null, children: string[]) => void): void;
}

interface PeerStat {
  readonly numChildren: number;
}

interface Node {
  readonly data: Buffer | undefined;
  readonly numChildren: number;
}

const zookeeper = createRequire(import.meta.url)("node-zookeeper-client") as PeerModule;

/** The sides of `node-zookeeper-client`, opened as its documentation says; its callbacks become promises. */
export class Peer {
  readonly #client: PeerClient;
  readonly #order = randomOrder(benchKeys);
  #next = 0;

  private constructor(client: PeerClient) {
    this.#client = client;
  }

  static async open(hosts: string): Promise<Peer> {
    const client = zookeeper.createClient(hosts);
    await new Promise<void>((resolve) => {
      client.once("connected", resolve);
      client.connect();
    });
    return new Peer(client);
  }

  get(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, async () => {
        const index = this.#index();
        checkValue((await this.#getData(`/${keys[index]!}`)).data, index);
      }),
    );
  }

  put(inflight: number): Side {
    return throughput((milliseconds) =>
      callers(inflight, milliseconds, () => {
        const index = this.#index();
        return this.#setData(`/${keys[index]!}`, valueOf(index));
      }),
    );
  }

  /** The fastest walk that it allows: everything known is asked for at once, and children only where there are some. */
  readonly list: Side = repeated(
    treeKeys.length,
    async () => {},
    async () => {
      const found = new Map<string, Buffer>();
      const walk = async (path: string): Promise<void> => {
        const { data, numChildren } = await this.#getData(path);
        if (numChildren === 0) return void found.set(path, data!);
        const names = await this.#getChildren(path);
        await Promise.all(names.map((name) => walk(`${path}/${name}`)));
      };
      await walk(`/${treeDirectory}`);
      if (found.size !== treeKeys.length) throw new Error(`found ${found.size} keys`);
      const pairs = [...found].toSorted(([left], [right]) => (left < right ? -1 : 1));
      checkValue(pairs[4_321]![1], 4_321);
    },
  );

  close(): void {
    this.#client.close();
  }

  #getData(path: string): Promise<Node> {
    return new Promise((resolve, reject) => {
      this.#client.getData(path, (error, data, stat) => {
        if (error) reject(error);
        else resolve({ data, numChildren: stat.numChildren });
      });
    });
  }

  #setData(path: string, data: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.setData(path, data, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  #getChildren(path: string): Promise<string[]> {
    return new Promise((resolve, reject) => {
      this.#client.getChildren(path, (error, children) => {
        if (error) reject(error);
        else resolve(children);
      });
    });
  }

  #index(): number {
    return this.#order[this.#next++ & (this.#order.length - 1)]!;
  }
}
