import { it as vitestIt } from "vitest";
import { connectConsul, type ConsulOptions, type ConsulStore } from "../../../src/consul/index.js";
import { type ConsulServer, createProxy, skipped, startConsul, type TcpProxy } from "../../servers/index.js";
import { httpRequest, type TestResponse } from "../../servers/http-request.js";

/** Vitest's, but that `KVASIR_SKIP` may leave these tests out, which is said aloud. */
export const it = vitestIt.skipIf(skipped("consul"));

/** A session as the agent lists it. */
export interface Session {
  readonly ID: string;
  readonly Name: string;
}

/** What the agent holds at a key. */
export interface Entry {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly Session?: string | undefined;
}

/** An agent, a proxy before it, requests that go around the proxy, and stores that are closed with it. */
export class Rig {
  readonly server: ConsulServer;
  readonly proxy: TcpProxy;
  readonly #stores: ConsulStore[] = [];

  constructor(server: ConsulServer, proxy: TcpProxy) {
    this.server = server;
    this.proxy = proxy;
  }

  /** Opens a store; by default through the proxy. */
  async open(options: Partial<ConsulOptions> = {}): Promise<ConsulStore> {
    const store = await connectConsul({ endpoints: [this.proxy.host], ...options });
    this.#stores.push(store);
    return store;
  }

  /** A store that the proxy does not touch. */
  openDirect(options: Partial<ConsulOptions> = {}): Promise<ConsulStore> {
    return this.open({ endpoints: [this.server.members[0]!.endpoint.replace(/^\w+:\/\//, "")], ...options });
  }

  /** A request around the proxy. */
  async ask(method: string, path: string, body?: string): Promise<TestResponse> {
    const headers: Record<string, string> =
      this.server.token === undefined ? {} : { "x-consul-token": this.server.token };
    return httpRequest(this.server.endpoint + path, { method, body, headers, timeoutMs: 10_000 });
  }

  async held(key: string): Promise<Entry | undefined> {
    const { status, text } = await this.ask("GET", `/v1/kv/${key}?consistent`);
    return status === 404 ? undefined : (JSON.parse(text) as Entry[])[0];
  }

  async value(key: string): Promise<string | undefined> {
    const entry = await this.held(key);
    return entry === undefined ? undefined : Buffer.from(entry.Value ?? "", "base64").toString();
  }

  async sessions(): Promise<Session[]> {
    return JSON.parse((await this.ask("GET", "/v1/session/list?consistent")).text) as Session[];
  }

  async close(): Promise<void> {
    this.proxy.resume();
    await Promise.all(this.#stores.map((store) => store.close()));
    await this.proxy.close();
    await this.server.close();
  }
}

/** Runs `body` on an agent of its own, with short sessions allowed. */
export async function withRig(body: (rig: Rig) => Promise<void>, options: Parameters<typeof startConsul>[0] = {}) {
  const server = await startConsul({ own: true, sessionTtlMin: "1s", ...options });
  const rig = new Rig(server, await createProxy(server.endpoint, { count: "http1" }));
  try {
    await body(rig);
  } finally {
    await rig.close();
  }
}
