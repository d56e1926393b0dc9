import { invalid } from "../core/arguments.js";
import type { StoreOptions } from "../core/options.js";
import type { StoreUrl } from "../core/store-url.js";
import { readTlsFiles } from "../core/tls-files.js";
import type { Etcd2TlsOptions } from "./client/endpoints.js";

/** Certificates as PEM, or as names of files that hold it. */
export interface Etcd2Tls extends Etcd2TlsOptions {
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** How to open a store on the v2 API of an etcd cluster. */
export interface Etcd2Options extends StoreOptions {
  /**
   * `host:port`, or URLs with `http:` or `https:`, as a list or with commas: members of the same cluster. The port is
   * 2379 where none is given.
   */
  endpoints: string | readonly string[];
  /** Everything is kept below this directory. Default: the root. */
  prefix?: string | undefined;
  /** TLS, with a client certificate where the members ask for one; `true` for the system's authorities. */
  tls?: boolean | Etcd2Tls | undefined;
  /** User and password of the v2 API's own authentication. */
  auth?: { username: string; password: string } | undefined;
  /**
   * How long a watch, or a wait for a lock, may hear nothing before it is checked whether the server is still there and
   * has a leader, in milliseconds: the v2 API sends nothing meanwhile, so that a connection which died without a word
   * goes unnoticed for so long. Default 20,000.
   */
  watchCheckMs?: number | undefined;
}

export const defaultWatchCheckMs = 20_000;

/** `etcd2://user:password@h1:2379,h2:2379/prefix?caFile=ca.pem`; `etcd2s:` is TLS. */
export function etcd2OptionsFromUrl(url: StoreUrl): Partial<Etcd2Options> {
  const files = {
    caFile: url.text("caFile"),
    certFile: url.text("certFile"),
    keyFile: url.text("keyFile"),
    serverName: url.text("serverName"),
  };
  const named = Object.values(files).some((value) => value !== undefined);
  const scheme = url.scheme === "etcd2s" ? "https://" : "";
  if (named && scheme === "") throw invalid("certificates are for TLS: write etcd2s: in place of etcd2:");
  return {
    endpoints: url.hosts.map((host) => scheme + host),
    prefix: url.path === "" ? undefined : url.path,
    tls: named ? files : undefined,
    watchCheckMs: url.number("watchCheckMs"),
    auth: url.user === undefined ? undefined : { username: url.user, password: url.password ?? "" },
  };
}

/** The endpoints as a list of URLs, checked. */
export function endpointList({ endpoints, tls }: Etcd2Options): string[] {
  const list: unknown = typeof endpoints === "string" ? endpoints.split(",") : endpoints;
  if (!Array.isArray(list) || list.length === 0) {
    throw invalid('an etcd2 store needs endpoints, such as ["localhost:2379"]');
  }
  const scheme = tls === undefined || tls === false ? "http" : "https";
  return list.map((endpoint) => urlOf(endpoint, scheme));
}

function urlOf(endpoint: unknown, scheme: string): string {
  const text = typeof endpoint === "string" ? endpoint.trim() : "";
  const parts = /^(?:(https?):\/\/)?(\[[\da-f:.]+\]|[^/:@\s?#[\]]+)(?::(\d+))?\/?$/i.exec(text);
  if (parts === null) throw invalid("an etcd2 endpoint is host:port, or a URL such as http://host:2379");
  const [, ownScheme = scheme, host, port = "2379"] = parts;
  return `${ownScheme}://${host}:${port}`;
}

/** Reads the files that are named. */
export async function loadTls({ tls }: Etcd2Options): Promise<Etcd2TlsOptions | undefined> {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return {};
  return { ...(await readTlsFiles(tls, "etcd2")), serverName: tls.serverName };
}
