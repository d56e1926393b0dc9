import type { Clock } from "../../util/clock.js";

/** Files are read by the caller: all contents are PEM. */
export interface EtcdTlsOptions {
  /** Certificates trusted to sign the server's. Default: those that come with Node. */
  ca?: string | Uint8Array | undefined;
  /** The client's own certificate and its key, for servers with `--client-cert-auth`. */
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
  /** Name to look for in the server's certificate, in place of the endpoint's host. */
  serverName?: string | undefined;
}

/** How to reach a cluster. */
export interface ChannelSettings {
  /** `host:port`, `[::1]:port`, or URLs with `http:` or `https:`; one or more members of the same cluster. */
  endpoints: readonly string[];
  /** TLS for every endpoint written without a scheme, and the details for those with `https:`. */
  tls?: EtcdTlsOptions | undefined;
  /** User and password of etcd's own authentication. */
  auth?: { username: string; password: string } | undefined;
  /** Time of a call unless it says otherwise, in milliseconds. Default 5,000. */
  timeoutMs?: number | undefined;
  /** Longest time to dial one endpoint before the next is tried, in milliseconds. Default 3,000. */
  dialTimeoutMs?: number | undefined;
  /**
   * HTTP/2 pings while calls or streams are under way: one after `intervalMs` (default 10,000; etcd's default limit is
   * one in 5 s, and it hangs up on clients that send more), and the connection is dropped when no answer comes in
   * `timeoutMs` (default 5,000).
   */
  keepalive?: { intervalMs?: number | undefined; timeoutMs?: number | undefined } | undefined;
  clock?: Clock | undefined;
}
