import type { OutgoingHttpHeaders } from "node:http2";
import type { Metadata } from "./auth.js";
import type { Endpoint } from "./endpoint.js";

/** The header has room for eight digits; whoever waits longer than this, 27 hours, names no time. In milliseconds. */
const longestTimeoutMs = 99_999_999;

/**
 * The headers of calls: one object for each method and metadata, used again and again, as `node:http2` copies what
 * it is given. Source: grpc/doc/PROTOCOL-HTTP2.md, "Requests".
 */
export class RequestHeaders {
  readonly #scheme: string;
  readonly #authority: string;
  readonly #made = new WeakMap<Metadata, Map<string, OutgoingHttpHeaders>>();

  /** `serverName` stands in for the endpoint's host. */
  constructor(endpoint: Endpoint, serverName: string | undefined) {
    this.#scheme = endpoint.tls ? "https" : "http";
    this.#authority = endpoint.tls && serverName !== undefined ? serverName : endpoint.name;
  }

  /** Good until the next call. */
  of(path: string, metadata: Metadata, timeoutMs = Number.POSITIVE_INFINITY): OutgoingHttpHeaders {
    let byPath = this.#made.get(metadata);
    if (byPath === undefined) this.#made.set(metadata, (byPath = new Map()));
    let headers = byPath.get(path);
    if (headers === undefined) byPath.set(path, (headers = this.#headers(path, metadata)));
    headers["grpc-timeout"] = timeoutMs <= longestTimeoutMs ? `${Math.max(Math.ceil(timeoutMs), 1)}m` : undefined;
    return headers;
  }

  #headers(path: string, metadata: Metadata): OutgoingHttpHeaders {
    return {
      ":method": "POST",
      ":scheme": this.#scheme,
      ":authority": this.#authority,
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    };
  }
}
