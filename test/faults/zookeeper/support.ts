import { expect } from "vitest";
import { connect, NoNodeError, type ZooKeeperClient } from "../../../src/zookeeper/client/index.js";
import { connectZookeeper, type ZookeeperOptions, type ZookeeperStore } from "../../../src/zookeeper/index.js";
import { createProxy, startZooKeeper, type TcpProxy, type ZooKeeperServer } from "../../servers/index.js";

/** A server, a proxy before it, a client that goes around the proxy, and stores that are closed with it. */
export class Rig {
  readonly server: ZooKeeperServer;
  readonly proxy: TcpProxy;
  /** Sees and does what the server really holds, whatever the proxy does. */
  readonly direct: ZooKeeperClient;
  readonly #stores: ZookeeperStore[] = [];

  constructor(server: ZooKeeperServer, proxy: TcpProxy, direct: ZooKeeperClient) {
    this.server = server;
    this.proxy = proxy;
    this.direct = direct;
  }

  /** Opens a store; by default through the proxy. */
  async open(options: Partial<ZookeeperOptions> = {}): Promise<ZookeeperStore> {
    const store = await connectZookeeper({ endpoints: [this.proxy.host], ...options });
    this.#stores.push(store);
    return store;
  }

  /** A store that the proxy does not touch. */
  openDirect(options: Partial<ZookeeperOptions> = {}): Promise<ZookeeperStore> {
    return this.open({ endpoints: this.server.hosts.split(","), ...options });
  }

  /** The bytes of a node; undefined when there is none, or it is a directory. */
  async held(key: string): Promise<string | undefined> {
    return (await this.#read(key))?.data?.toString();
  }

  /** How often a node was set since it was created. */
  async version(key: string): Promise<number | undefined> {
    return (await this.#read(key))?.stat.version;
  }

  /** The names of a node's children, sorted. */
  async children(key: string): Promise<string[]> {
    try {
      return (await this.direct.getChildren(`/${key}`)).children.toSorted();
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  /** The contenders for a lock, in their order. */
  async contenders(key: string): Promise<string[]> {
    return (await this.children(`${key}___lock`)).toSorted((a, b) => (a.slice(-10) < b.slice(-10) ? -1 : 1));
  }

  /** The ephemeral nodes of all sessions, by session, as the server dumps them: `[session, paths]`. */
  async ephemerals(): Promise<Map<string, string[]>> {
    const [, listed = ""] = (await this.server.ask("dump")).split(/ephemeral nodes dump:?/i);
    const found = new Map<string, string[]>();
    let session = "";
    for (const line of listed.split("\n")) {
      if (/^0x[0-9a-f]+:/.test(line)) found.set((session = line.replace(":", "").trim()), []);
      else if (line.startsWith("\t/")) found.get(session)?.push(line.trim());
    }
    return found;
  }

  /** Ends the store's session on the server, as another client that knows its id and password. */
  async killSession(store: ZookeeperStore): Promise<void> {
    const credentials = store.client.sessionCredentials;
    const thief = await connect({ servers: this.server.hosts, session: credentials });
    expect(thief.sessionCredentials?.id).toBe(credentials?.id);
    await thief.close();
  }

  async close(): Promise<void> {
    this.proxy.resume();
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.direct.close();
    await this.proxy.close();
    await this.server.close();
  }

  async #read(key: string) {
    try {
      return await this.direct.getData(`/${key}`);
    } catch (error) {
      if (error instanceof NoNodeError) return undefined;
      throw error;
    }
  }
}

/** Runs `body` on a server of its own. */
export async function withRig(body: (rig: Rig) => Promise<void>, options: Parameters<typeof startZooKeeper>[0] = {}) {
  const server = await startZooKeeper({ own: true, ...options });
  const proxy = await createProxy(server.endpoint, { count: "zookeeper" });
  const rig = new Rig(server, proxy, await connect({ servers: server.hosts, timeoutMs: 20_000 }));
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}
