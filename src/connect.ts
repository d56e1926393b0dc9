import { invalid } from "./core/arguments.js";
import type { StoreOptions } from "./core/options.js";
import type { Store } from "./core/store.js";
import { StoreUrl } from "./core/store-url.js";
import type { EtcdOptions } from "./etcd/index.js";
import type { ZookeeperOptions } from "./zookeeper/index.js";
import type { Etcd2Options } from "./etcd2/index.js";

/** Opens a store for a scheme: given the URL and the options of `connect`, or options alone (`url` is then undefined). */
export type BackendConnector = (
  url: StoreUrl | undefined,
  options: StoreOptions & Record<string, unknown>,
) => Promise<Store>;

/** The options of `connect` beside the URL: those of every store, those of the backend, and further backends. */
export interface ConnectOptions extends StoreOptions {
  /** Schemes of backends that are not built in, or that replace built-in ones. */
  backends?: Readonly<Record<string, BackendConnector>> | undefined;
  /** Whatever else the backend's own options are. */
  [option: string]: unknown;
}

/** A URL, or `{ backend, … }` with the backend's own options. */
export type ConnectTarget = string | ({ backend: string } & ConnectOptions);

/** The built-in backends; each loads only when it is asked for. */
const builtIn: Readonly<Record<string, BackendConnector>> = {
  bolt: async (url, options) => {
    const { boltOptionsFromUrl, connectBolt } = await import("./bolt/index.js");
    return connectBolt(merge(url && boltOptionsFromUrl(url), options, url));
  },
  etcd: openEtcd,
  etcds: (url, options) => openEtcd(url, { ...options, tls: options["tls"] ?? {} }),
  etcd2: openEtcd2,
  etcd2s: (url, options) => openEtcd2(url, { ...options, tls: options["tls"] ?? true }),
  consul: connectConsulUrl,
  consuls: (url, options) => connectConsulUrl(url, { ...options, tls: options["tls"] ?? true }),
  zk: connectZookeeperUrl,
  zks: (url, options) => connectZookeeperUrl(url, { ...options, tls: options["tls"] ?? true }),
  zookeeper: connectZookeeperUrl,
  memory: async (url, options) => {
    const { connectMemory, memoryOptionsFromUrl } = await import("./bolt/memory.js");
    return connectMemory(merge(url && memoryOptionsFromUrl(url), options, url));
  },
};

async function openEtcd(url: StoreUrl | undefined, options: StoreOptions & Record<string, unknown>): Promise<Store> {
  const { connectEtcd, etcdOptionsFromUrl } = await import("./etcd/index.js");
  return connectEtcd(merge(url && etcdOptionsFromUrl(url), options, url) as EtcdOptions);
}

async function openEtcd2(url: StoreUrl | undefined, options: StoreOptions & Record<string, unknown>): Promise<Store> {
  const { connectEtcd2, etcd2OptionsFromUrl } = await import("./etcd2/index.js");
  return connectEtcd2(merge(url && etcd2OptionsFromUrl(url), options, url) as Etcd2Options);
}

async function connectConsulUrl(...[url, options]: Parameters<BackendConnector>): Promise<Store> {
  const { connectConsul, consulOptionsFromUrl } = await import("./consul/index.js");
  return connectConsul(merge(url && consulOptionsFromUrl(url), options, url));
}

async function connectZookeeperUrl(...[url, options]: Parameters<BackendConnector>): Promise<Store> {
  const { connectZookeeper, zookeeperOptionsFromUrl } = await import("./zookeeper/index.js");
  return connectZookeeper(merge(url && zookeeperOptionsFromUrl(url), options, url) as ZookeeperOptions);
}

/**
 * Opens a store: `connect("bolt:./data/app.db")`. Loads only the backend it needs. Rejects with a clear `StoreError`
 * when nothing answers within `connectTimeoutMs` (default 5,000), or when the target makes no sense.
 */
export async function connect(target: ConnectTarget, options: ConnectOptions = {}): Promise<Store> {
  if (typeof target === "string") {
    const url = new StoreUrl(target);
    const { backends, ...rest } = options;
    return connectorOf(url.scheme, backends)(url, rest);
  }
  if (typeof target !== "object" || target === null || typeof target.backend !== "string") {
    throw invalid('connect takes a URL such as "bolt:./data/app.db", or { backend, … }');
  }
  const { backend, backends, ...rest } = { ...options, ...target };
  return connectorOf(backend, backends)(undefined, rest);
}

function connectorOf(scheme: string, backends: ConnectOptions["backends"]): BackendConnector {
  const known = { ...builtIn, ...backends };
  if (Object.hasOwn(known, scheme)) return known[scheme]!;
  throw invalid(`no backend is called "${scheme}"; there are ${Object.keys(known).sort().join(", ")}`);
}

/** The backend's options: what the URL says, over what the options say. */
function merge<Options>(
  fromUrl: Options | undefined,
  options: Record<string, unknown>,
  url: StoreUrl | undefined,
): Options {
  url?.refuseUnknown();
  const named = Object.entries(fromUrl ?? {}).filter(([, value]) => value !== undefined);
  return { ...options, ...Object.fromEntries(named) } as Options;
}
