import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectBolt } from "../../src/bolt/index.js";
import { createMemoryStore, type MemoryStore } from "../../src/bolt/memory.js";
import { connect } from "../../src/connect.js";
import type { Store } from "../../src/core/store.js";
import {
  createProxy,
  type Member,
  skipped,
  startConsul,
  startEtcd,
  startZooKeeper,
  type TcpProxy,
} from "../servers/index.js";
import type { ServedBackend } from "../servers/skipped.js";

/** A backend as the tests of recipes see it. */
export interface RecipeBackend {
  readonly name: string;
  readonly skipped: boolean;
  /** Whether other processes can open the same data. */
  readonly shared: boolean;
  /** Whether a server is behind it, that can be cut off and killed. */
  readonly served: boolean;
  /** A server, a file or a memory of its own. */
  start(): Promise<RunningBackend>;
}

export interface RunningBackend {
  /** Opens a store on the common data; one that `cutOff` cuts off. */
  open(): Promise<Store>;
  /** Opens one that nothing cuts off. */
  openDirect(): Promise<Store>;
  /** For `connect` in another process, where that can be: cut off with the others, and not. */
  readonly url: string | undefined;
  readonly directUrl: string | undefined;
  /** Between the stores and the server, where there is one. */
  readonly proxy: TcpProxy | undefined;
  readonly member: Member | undefined;
  /** No connection works and none can be made, until `reconnect`. Only where there are connections, or on memory. */
  cutOff(): void;
  reconnect(): Promise<void>;
  /** Closes every store and ends the server. */
  close(): Promise<void>;
}

/** Collects what is to be closed, the last first. */
class Closing {
  readonly #ends: (() => Promise<unknown>)[] = [];

  add<T extends { close(): Promise<unknown> }>(closed: T): T {
    this.#ends.push(() => closed.close());
    return closed;
  }

  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }
}

const memory: RecipeBackend = {
  name: "memory",
  skipped: false,
  shared: false,
  served: false,
  start: async () => {
    const closing = new Closing();
    const name = randomUUID();
    const cut: MemoryStore[] = [];
    return {
      open: async () => {
        const store = closing.add(await createMemoryStore({ name }));
        cut.push(store);
        return store;
      },
      openDirect: async () => closing.add(await createMemoryStore({ name })),
      url: undefined,
      directUrl: undefined,
      proxy: undefined,
      member: undefined,
      cutOff: () => {
        for (const store of cut) store.suspend();
      },
      reconnect: async () => {
        for (const store of cut) await store.resume();
      },
      close: () => closing.close(),
    };
  },
};

function boltBackend(name: string, shared: boolean): RecipeBackend {
  return {
    name,
    skipped: false,
    shared,
    served: false,
    start: async () => {
      const closing = new Closing();
      const folder = await mkdtemp(join(tmpdir(), "kvasir-recipes-"));
      closing.add({ close: () => rm(folder, { recursive: true }) });
      const path = join(folder, "app.db");
      const open = async (): Promise<Store> => closing.add(await connectBolt({ path, shared }));
      const url = shared ? `bolt:${path}?shared=true` : undefined;
      return {
        open,
        openDirect: open,
        url,
        directUrl: url,
        proxy: undefined,
        member: undefined,
        cutOff: () => undefined,
        reconnect: async () => undefined,
        close: () => closing.close(),
      };
    },
  };
}

interface Served {
  readonly endpoint: string;
  readonly member: Member;
  close(): Promise<void>;
}

/** `scheme`: that of the URL. Every start has a server of its own, with a proxy before it. */
function servedBackend(
  name: string,
  {
    server,
    scheme,
    query = "",
    start,
  }: { server: ServedBackend; scheme: string; query?: string; start: () => Promise<Served> },
): RecipeBackend {
  return {
    name,
    skipped: skipped(server),
    shared: true,
    served: true,
    start: async () => {
      const closing = new Closing();
      const running = closing.add(await start());
      const proxy = closing.add(await createProxy(running.endpoint));
      const url = `${scheme}://${proxy.host}/app${query}`;
      const directUrl = `${scheme}://${running.endpoint.replace(/^\w+:\/\//, "")}/app${query}`;
      return {
        open: async () => closing.add(await connect(url)),
        openDirect: async () => closing.add(await connect(directUrl)),
        url,
        directUrl,
        proxy,
        member: running.member,
        cutOff: () => {
          proxy.refuse();
          proxy.cut();
        },
        reconnect: () => proxy.accept(),
        close: () => {
          proxy.resume();
          return closing.close();
        },
      };
    },
  };
}

/** Every backend that recipes run on. Another one joins with a line. */
export const recipeBackends: readonly RecipeBackend[] = [
  memory,
  boltBackend("bolt", false),
  boltBackend("bolt shared", true),
  servedBackend("etcd", { server: "etcd", scheme: "etcd", start: () => startEtcd({ own: true }) }),
  servedBackend("consul", {
    server: "consul",
    scheme: "consul",
    start: () => startConsul({ own: true, sessionTtlMin: "1s" }),
  }),
  servedBackend("etcd2", { server: "etcd", scheme: "etcd2", start: () => startEtcd({ own: true, v2: true }) }),
  servedBackend("zookeeper", {
    server: "zookeeper",
    scheme: "zk",
    query: "?sessionTimeoutMs=2000",
    start: () => startZooKeeper({ own: true }),
  }),
];
