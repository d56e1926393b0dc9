import { invalid } from "../core/arguments.js";
import type { StoreOptions } from "../core/options.js";
import type { StoreUrl } from "../core/store-url.js";
import { readTlsFiles } from "../core/tls-files.js";
import type { EtcdClientOptions, EtcdTlsOptions } from "./client/index.js";

/** Certificates as PEM, or as names of files that hold it. */
export interface EtcdStoreTls extends EtcdTlsOptions {
  caFile?: string | undefined;
  certFile?: string | undefined;
  keyFile?: string | undefined;
}

/** How to open a store on an etcd cluster. */
export interface EtcdOptions extends StoreOptions {
  /**
   * `host:port`, or URLs with `http:` or `https:`, as a list or with commas: members of the same cluster. The port is
   * 2379 where none is given.
   */
  endpoints: string | readonly string[];
  /** Everything is kept below this directory of etcd's keys. Default: none. */
  prefix?: string | undefined;
  /** TLS for every endpoint without a scheme, and the details for those with `https:`. */
  tls?: EtcdStoreTls | undefined;
  /** User and password of etcd's own authentication. */
  auth?: { username: string; password: string } | undefined;
  /** Longest time to dial one endpoint before the next is tried, in milliseconds. Default 3,000. */
  dialTimeoutMs?: number | undefined;
  /** HTTP/2 pings, by which a connection that was cut without a word is noticed. Default: every 10 s, 5 s to answer. */
  keepalive?: EtcdClientOptions["keepalive"];
  /** How a watch stream that fell silent is told from one with nothing to say. */
  watch?: EtcdClientOptions["watch"];
}

/** `etcd://user:password@h1:2379,h2:2379/prefix?caFile=ca.pem`; `etcds:` is TLS. */
export function etcdOptionsFromUrl(url: StoreUrl): Partial<EtcdOptions> {
  const scheme = url.scheme === "etcds" ? "https://" : "";
  const files = {
    caFile: url.text("caFile"),
    certFile: url.text("certFile"),
    keyFile: url.text("keyFile"),
    serverName: url.text("serverName"),
  };
  const named = Object.values(files).some((value) => value !== undefined);
  if (named && scheme === "") throw invalid("certificates are for TLS: write etcds: in place of etcd:");
  return {
    endpoints: url.hosts.map((host) => scheme + host),
    prefix: url.path === "" ? undefined : url.path,
    tls: named ? files : undefined,
    auth: url.user === undefined ? undefined : { username: url.user, password: url.password ?? "" },
  };
}

/** The endpoints as a list, checked. */
export function endpointList({ endpoints }: EtcdOptions): readonly string[] {
  const list = typeof endpoints === "string" ? endpoints.split(",") : endpoints;
  if (Array.isArray(list) && list.length > 0 && list.every((endpoint) => typeof endpoint === "string")) return list;
  throw invalid('an etcd store needs endpoints, such as ["localhost:2379"]');
}

/** Reads the files that are named. */
export async function loadTls(tls: EtcdStoreTls | undefined): Promise<EtcdTlsOptions | undefined> {
  if (tls === undefined) return undefined;
  return { ...(await readTlsFiles(tls, "etcd")), serverName: tls.serverName };
}
