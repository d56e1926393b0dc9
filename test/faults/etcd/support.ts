import { it as vitestIt } from "vitest";
import { EtcdClient, type KeyValue } from "../../../src/etcd/client/index.js";
import { connectEtcd, type EtcdOptions, type EtcdStore } from "../../../src/etcd/index.js";
import { createProxy, type EtcdServer, skipped, startEtcd, type TcpProxy } from "../../servers/index.js";
import { httpRequest } from "../../servers/http-request.js";

/** Which etcd to run on, such as "3.5"; the default of `startEtcd` otherwise. */
export const version = process.env["KVASIR_TEST_ETCD_VERSION"];
/** Vitest's, but that `KVASIR_SKIP` may leave these tests out, which is said aloud. */
export const it = vitestIt.skipIf(skipped("etcd"));

/** A server, a proxy before it, a client that goes around the proxy, and stores that are closed with it. */
export class Rig {
  readonly server: EtcdServer;
  readonly proxy: TcpProxy;
  /** Sees and does what the server really holds, whatever the proxy does. */
  readonly direct: EtcdClient;
  readonly #stores: EtcdStore[] = [];

  constructor(server: EtcdServer, proxy: TcpProxy) {
    this.server = server;
    this.proxy = proxy;
    this.direct = new EtcdClient({ endpoints: [server.endpoint] });
  }

  /** Opens a store; by default through the proxy. */
  async open(options: Partial<EtcdOptions> = {}): Promise<EtcdStore> {
    const store = await connectEtcd({ endpoints: this.proxy.host, ...options });
    this.#stores.push(store);
    return store;
  }

  /** A store that the proxy does not touch. */
  openDirect(options: Partial<EtcdOptions> = {}): Promise<EtcdStore> {
    return this.open({ endpoints: this.server.endpoint, ...options });
  }

  /** What the server holds at a key. */
  async held(key: string): Promise<KeyValue | undefined> {
    return (await this.direct.kv.range({ key: bytes(key) })).kvs[0];
  }

  /** The names of all keys that start with this, lock keys included. */
  async names(prefix: string): Promise<string[]> {
    const { kvs } = await this.direct.kv.range({
      key: bytes(prefix === "" ? "\0" : prefix),
      rangeEnd: bytes(`${prefix}\u{10ffff}`),
    });
    return kvs.map(({ key }) => text(key));
  }

  /** The ids of all leases, by the server's JSON gateway. */
  async leases(): Promise<string[]> {
    const { text } = await httpRequest(`${this.server.endpoint}/v3/lease/leases`, { method: "POST", body: "{}" });
    return ((JSON.parse(text) as { leases?: { ID: string }[] }).leases ?? []).map(({ ID }) => ID);
  }

  /** How often a key was put since it was created: 0 when it is absent. */
  async puts(key: string): Promise<number> {
    return Number((await this.held(key))?.version ?? 0n);
  }

  async close(): Promise<void> {
    this.proxy.resume();
    await Promise.all(this.#stores.map((store) => store.close()));
    this.direct.close();
    await this.proxy.close();
    await this.server.close();
  }
}

/** Runs `body` on a server of its own. */
export async function withRig(body: (rig: Rig) => Promise<void>, options: Parameters<typeof startEtcd>[0] = {}) {
  const server = await startEtcd({ own: true, version, ...options });
  const rig = new Rig(server, await createProxy(server.endpoint, { count: "http2" }));
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(value: Uint8Array | undefined): string {
  return Buffer.from(value ?? []).toString();
}
