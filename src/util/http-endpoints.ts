import { Pool } from "undici";
import type { Clock } from "./clock.js";
import { HttpFailure, transportFailure } from "./http-failure.js";

/** TLS settings, each in PEM. */
export interface HttpTls {
  ca?: string | Uint8Array | undefined;
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
  /** The name to verify the certificate against, where it is not the host's. */
  serverName?: string | undefined;
}

export interface HttpEndpointsOptions {
  /** `host:port`, a URL with `http:` or `https:`, or `unix:/path/to/socket`. At least one. */
  readonly endpoints: readonly string[];
  /** For endpoints without a scheme it means https. */
  readonly tls?: HttpTls | undefined;
  readonly clock: Clock;
  /** How many connections to an endpoint calls share. */
  readonly callConnections: number;
  /** How many connections to an endpoint there may be for requests that wait. Default: no limit. */
  readonly waitConnections?: number | undefined;
}

export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** From the slash on, with the query, already encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** By the clock, in milliseconds. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** The server answers when something happens: it has a connection to itself, so that it holds up no call. */
  readonly waits?: boolean | undefined;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Who answered. */
  readonly endpoint: string;
}

interface Endpoint {
  readonly name: string;
  readonly calls: Pool;
  readonly waiting: Pool;
}

/** HTTP to one of several endpoints. It moves to the next when one cannot be reached, and never sends a request twice. */
export class HttpEndpoints {
  readonly #clock: Clock;
  readonly #endpoints: readonly Endpoint[];
  #current = 0;
  #closed = false;

  constructor(options: HttpEndpointsOptions) {
    this.#clock = options.clock;
    this.#endpoints = options.endpoints.map((name) => createEndpoint(name, options));
  }

  /** Any answer resolves, whatever its status; otherwise it rejects with an `HttpFailure`. */
  async request(request: HttpRequest): Promise<HttpReply> {
    const endpoint = this.#endpoints[this.#current]!;
    try {
      return await this.#send(endpoint, request);
    } catch (error) {
      if (error instanceof HttpFailure && error.reason !== "aborted") this.avoid(endpoint.name);
      throw error;
    }
  }

  /** This endpoint answers, but another could do better: the next request goes there. */
  avoid(endpoint: string): void {
    if (this.#endpoints[this.#current]!.name === endpoint) this.#current = (this.#current + 1) % this.#endpoints.length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#endpoints.flatMap(({ calls, waiting }) => [calls.destroy(), waiting.destroy()]));
  }

  async #send({ name, calls, waiting }: Endpoint, request: HttpRequest): Promise<HttpReply> {
    const { method, path, headers = {}, body = null, deadline, signal } = request;
    if (this.#closed) throw new HttpFailure("closed", "the client is closed", name, "not-applied");
    const ended = new AbortController();
    const onAbort = (): void => ended.abort("aborted");
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    const leftMs = deadline - this.#clock.now();
    const timer =
      leftMs === Number.POSITIVE_INFINITY ? undefined : this.#clock.after(leftMs, () => ended.abort("timeout"));
    try {
      const pool = request.waits === true ? waiting : calls;
      const answer = await pool.request({ method, path, headers, body, signal: ended.signal });
      const text = await answer.body.text();
      return { status: answer.statusCode, headers: answer.headers, body: text, endpoint: name };
    } catch (error) {
      if (!ended.signal.aborted) throw transportFailure(error, name);
      if (ended.signal.reason === "timeout") throw new HttpFailure("timeout", "no answer in time", name, "unknown");
      throw new HttpFailure("aborted", "given up", name, "unknown", signal?.reason);
    } finally {
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

function createEndpoint(name: string, { tls, callConnections, waitConnections }: HttpEndpointsOptions): Endpoint {
  const socketPath = name.startsWith("unix:") ? name.slice("unix:".length).replace(/^\/\/+/, "/") : undefined;
  const url = /^https?:\/\//.test(name) ? name : `${tls === undefined ? "http" : "https"}://${name}`;
  const connect = {
    timeout: 3_000,
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(tls === undefined ? {} : tlsOptions(tls)),
  };
  const origin = socketPath === undefined ? url : "http://localhost";
  // undici 7 sends nothing again by itself here: it does so only for what is pipelined behind a request that failed,
  // and with `pipelining: 1` nothing is (client-h1.js, `onHttpSocketClose`; test/faults counts the requests).
  const pool = (connections: number | null): Pool =>
    new Pool(origin, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect });
  return { name, calls: pool(callConnections), waiting: pool(waitConnections ?? null) };
}

function tlsOptions({ ca, cert, key, serverName }: HttpTls): Record<string, unknown> {
  const options = { ca: pem(ca), cert: pem(cert), key: pem(key), servername: serverName };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function pem(value: string | Uint8Array | undefined): string | Buffer | undefined {
  return value === undefined || typeof value === "string" ? value : Buffer.from(value);
}
