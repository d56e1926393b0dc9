import { it as vitestIt } from "vitest";
import { connectEtcd2, type Etcd2Options, type Etcd2Store } from "../../../src/etcd2/index.js";
import { createProxy, type EtcdServer, skipped, startEtcd, type TcpProxy } from "../../servers/index.js";
import { httpRequest, type TestResponse } from "../../servers/http-request.js";

/** Which etcd to run on, such as "3.4"; 3.3 otherwise. Any that serves the v2 API will do. */
export const version = process.env["KVASIR_TEST_ETCD2_VERSION"] ?? "3.3";
/** Vitest's, but that `KVASIR_SKIP` may leave these tests out, which is said aloud. */
export const it = vitestIt.skipIf(skipped("etcd"));

/** What the server shows at a key. */
export interface Node {
  readonly key: string;
  readonly value?: string;
  readonly dir?: boolean;
  readonly nodes?: readonly Node[];
  readonly modifiedIndex: number;
  readonly createdIndex: number;
  readonly expiration?: string;
}

/** A server, a proxy before it, requests that go around the proxy, and stores that are closed with it. */
export class Rig {
  readonly server: EtcdServer;
  readonly proxy: TcpProxy;
  readonly #stores: Etcd2Store[] = [];

  constructor(server: EtcdServer, proxy: TcpProxy) {
    this.server = server;
    this.proxy = proxy;
  }

  /** Opens a store; by default through the proxy. */
  async open(options: Partial<Etcd2Options> = {}): Promise<Etcd2Store> {
    const store = await connectEtcd2({ endpoints: this.proxy.host, ...options });
    this.#stores.push(store);
    return store;
  }

  /** A store that the proxy does not touch. */
  openDirect(options: Partial<Etcd2Options> = {}): Promise<Etcd2Store> {
    return this.open({ endpoints: this.server.hosts, ...options });
  }

  /** A request around the proxy; `path` from the key's slash on, with the query. */
  ask(method: string, path: string, value?: string): Promise<TestResponse> {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = value === undefined ? undefined : `value=${encodeURIComponent(value)}`;
    return httpRequest(`${this.server.endpoint}/v2/keys${path}`, { method, body, headers, timeoutMs: 10_000 });
  }

  async held(key: string): Promise<Node | undefined> {
    const { status, text } = await this.ask("GET", `/${key}?quorum=true&recursive=true`);
    return status === 404 ? undefined : (JSON.parse(text) as { node: Node }).node;
  }

  async value(key: string): Promise<string | undefined> {
    return (await this.held(key))?.value;
  }

  /** Everything that happened at a key from an index on, as the server's history has it. */
  async history(key: string, from: number): Promise<string[]> {
    const actions: string[] = [];
    const latest = Number((await this.ask("GET", `/${key}?quorum=true`)).headers["x-etcd-index"]);
    for (let index = from; index <= latest; ) {
      // A wait that finds nothing more would hang: the marker comes after all of it.
      await this.ask("PUT", `/${key}`, "marker");
      const { text } = await this.ask("GET", `/${key}?wait=true&waitIndex=${index}`);
      const { action, node } = JSON.parse(text) as { action: string; node: Node };
      if (node.modifiedIndex > latest) break;
      actions.push(action);
      index = node.modifiedIndex + 1;
    }
    return actions;
  }

  /** How many requests the server is told to wait for something in. */
  async watchers(): Promise<number> {
    const { text } = await httpRequest(`${this.server.endpoint}/v2/stats/store`);
    return (JSON.parse(text) as { watchers: number }).watchers;
  }

  async close(): Promise<void> {
    this.proxy.resume();
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.proxy.close();
    await this.server.close();
  }
}

/** Runs `body` on a server of its own. */
export async function withRig(body: (rig: Rig) => Promise<void>, options: Parameters<typeof startEtcd>[0] = {}) {
  const server = await startEtcd({ own: true, version, v2: true, ...options });
  const rig = new Rig(server, await createProxy(server.endpoint, { count: "http1" }));
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}
