/** One address of an etcd member. */
export interface Endpoint {
  /** `host:port`, for people. */
  readonly name: string;
  /** Host name or address, without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const defaultPort = 2379;

/**
 * Reads `host`, `host:port`, `[::1]:port` or a URL of them with `http:` or `https:`. The port is 2379 where none is
 * given. Without a scheme, `tls` decides. Throws a `TypeError` on anything else.
 */
export function parseEndpoint(text: string, tls: boolean): Endpoint {
  const match = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.%]+\]|[^\s/:@?#,[\]]+)(?::(\d{1,5}))?\/?$/.exec(text);
  const port = Number(match?.[3] ?? defaultPort);
  if (match === null || port === 0 || port > 65_535) {
    // What stands before an "@" may be a password.
    const shown = text.replace(/^.*@/s, "***@");
    throw new TypeError(`not an etcd endpoint: "${shown}"; write host:port or https://host:port`);
  }
  const name = `${match[2]!}:${port}`;
  const host = match[2]!.replace(/^\[|\]$/g, "");
  return { name, host, port, tls: match[1] === undefined ? tls : match[1] === "https" };
}
