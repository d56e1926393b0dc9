import type { ConnectionOptions as TlsOptions } from "node:tls";
import { invalid } from "../core/arguments.js";
import { defaults, type StoreOptions } from "../core/options.js";
import type { StoreUrl } from "../core/store-url.js";
import { readTlsFiles } from "../core/tls-files.js";
import { type Acl, type Auth, type ClientOptions, digestAuth } from "./client/index.js";
import type { LockLayout } from "./lock-layout.js";

/** Node's own TLS options, and names of files that hold certificates as PEM. */
export interface ZookeeperTls extends TlsOptions {
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** How to open a store on a ZooKeeper ensemble. */
export interface ZookeeperOptions extends StoreOptions {
  /** `host:port`, as a list or with commas: members of the same ensemble. The port is 2181 where none is given. */
  endpoints: string | readonly string[];
  /** Everything is kept below this directory, which is made when it is needed. Default: none. */
  prefix?: string | undefined;
  /**
   * How long the servers keep the session without a sign of life, in milliseconds: the shortest ttl of keys and locks.
   * The servers may grant another; by default they take 2 to 20 of their ticks, 4 to 40 s. Default 15,000, as that is the
   * default ttl of locks: those with a longer one need a session of their own.
   */
  sessionTimeoutMs?: number | undefined;
  /** TLS, with a client certificate where the servers ask for one; `true` for Node's defaults. */
  tls?: boolean | ZookeeperTls | undefined;
  /** User and password of the `digest` scheme, or credentials of the client's kinds. */
  auth?: { username: string; password: string } | readonly Auth[] | undefined;
  /** Who may do what with the nodes that the store creates. Default: everybody, everything. */
  acl?: readonly Acl[] | undefined;
  /** Where contenders for locks queue: `libkv` shares locks with Go's libkv and valkeyrie. Default `kvasir`. */
  lockLayout?: LockLayout | undefined;
  /** The servers' `jute.maxbuffer`, in bytes: larger values are refused here. Default 1,048,575. */
  maxRequestBytes?: number | undefined;
}

/** `zk://user:password@h1:2181,h2:2181/prefix?sessionTimeoutMs=10000`; `zks:` is TLS. */
export function zookeeperOptionsFromUrl(url: StoreUrl): Partial<ZookeeperOptions> {
  const files = { caFile: url.text("caFile"), certFile: url.text("certFile"), keyFile: url.text("keyFile") };
  const named = Object.values(files).some((value) => value !== undefined);
  if (named && url.scheme !== "zks") throw invalid("certificates are for TLS: write zks: in place of zk:");
  return {
    endpoints: url.hosts,
    prefix: url.path === "" ? undefined : url.path,
    tls: named ? files : undefined,
    auth: url.user === undefined ? undefined : { username: url.user, password: url.password ?? "" },
    sessionTimeoutMs: url.number("sessionTimeoutMs"),
    lockLayout: layoutOf(url.text("lockLayout")),
    maxRequestBytes: url.number("maxRequestBytes"),
  };
}

/** The name of a layout, checked. */
export function layoutOf(text: string | undefined): LockLayout | undefined {
  if (text === undefined || text === "kvasir" || text === "libkv") return text;
  throw invalid(`lockLayout is kvasir or libkv, not ${text}`);
}

/** The endpoints as a list, checked. */
export function endpointList({ endpoints }: ZookeeperOptions): readonly string[] {
  const list: unknown = typeof endpoints === "string" ? endpoints.split(",") : endpoints;
  if (!Array.isArray(list) || list.length === 0 || !list.every((endpoint) => typeof endpoint === "string")) {
    throw invalid('a ZooKeeper store needs endpoints, such as ["localhost:2181"]');
  }
  if (list.some((endpoint: string) => endpoint.includes("/"))) {
    throw invalid('endpoints are host:port; name the directory of a store as its "prefix"');
  }
  return list;
}

/** The session's timeout unless another is asked for, in milliseconds. */
export const defaultSessionTimeoutMs = defaults.lockTtlMs;

/** The largest answer to expect, in bytes: as many of the largest values as one request reads, and some more. */
const maxResponseBytes = 256 * 1024 * 1024;

/** The client's options, for a session that lasts so long. */
export async function clientOptions(options: ZookeeperOptions): Promise<ClientOptions> {
  const { auth } = options;
  return {
    servers: endpointList(options),
    auth: auth === undefined || Array.isArray(auth) ? (auth as readonly Auth[] | undefined) : [digestOf(auth as never)],
    tls: await loadTls(options.tls),
    maxRequestBytes: options.maxRequestBytes,
    maxResponseBytes,
    maxPending: Number.MAX_SAFE_INTEGER,
    clock: options.clock,
  };
}

function digestOf({ username, password }: { username: string; password: string }): Auth {
  return digestAuth(username, password);
}

/** Reads the files that are named. */
async function loadTls(tls: ZookeeperOptions["tls"]): Promise<ClientOptions["tls"]> {
  if (typeof tls !== "object") return tls;
  const { caFile: _ca, certFile: _cert, keyFile: _key, ...rest } = tls;
  const { ca, cert, key } = await readTlsFiles(tls, "ZooKeeper");
  return {
    ...rest,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}
