import { readFileSync } from "node:fs";
import { Pool } from "undici";
import { type Clock, systemClock } from "../../util/clock.js";
import { ConsulError, statusError, transportError } from "./errors.js";

/** TLS settings, each in PEM. */
export interface ConsulTls {
  ca?: string | Uint8Array | undefined;
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
  /** The name to verify the certificate against, where it is not the host's. */
  serverName?: string | undefined;
}

export interface ConsulHttpOptions {
  /** `host:port`, or `unix:/path/to/socket`. Default `127.0.0.1:8500`. */
  endpoints?: readonly string[] | undefined;
  tls?: ConsulTls | undefined;
  /** Comes before every key, with a slash at its end. Default: nothing. */
  keyPrefix?: string | undefined;
  /** An ACL token. */
  token?: string | undefined;
  /** A file with an ACL token, read again when the agent refuses the one read before. */
  tokenFile?: string | undefined;
  datacenter?: string | undefined;
  /** Enterprise only; passed through. */
  namespace?: string | undefined;
  /** Enterprise only; passed through. */
  partition?: string | undefined;
  clock?: Clock | undefined;
}

export interface ConsulRequest {
  readonly method: "GET" | "PUT" | "DELETE";
  /** From the slash on, without the query, already encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | undefined;
  /** By the clock, in milliseconds. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  /** A blocking query: it has a connection to itself, so that it holds up no call. */
  readonly blocking?: boolean | undefined;
  /** Statuses other than 200 that are answers, not errors. */
  readonly accept?: readonly number[] | undefined;
}

export interface ConsulReply {
  readonly status: number;
  readonly body: string;
  /** The index that a blocking query goes on from (`X-Consul-Index`); 0 when the agent named none. */
  readonly index: number;
}

/** Calls share so many connections for each agent. */
const callConnections = 8;
/** Agents accept 200 connections from one address (`limits.http_max_conns_per_client`); two stores and others fit. */
export const blockingConnections = 64;

interface Agent {
  readonly endpoint: string;
  readonly calls: Pool;
  readonly blocking: Pool;
}

/** HTTP to one of several agents. It moves to the next when one cannot be reached, and never sends a request twice. */
export class ConsulHttp {
  readonly endpoints: readonly string[];
  readonly keyPrefix: string;
  readonly #options: ConsulHttpOptions;
  readonly #clock: Clock;
  readonly #agents: readonly Agent[];
  readonly #settings: Readonly<Record<string, string>>;
  #current = 0;
  #token: string | undefined;
  #closed = false;

  constructor(options: ConsulHttpOptions = {}) {
    this.endpoints = options.endpoints?.length ? options.endpoints : ["127.0.0.1:8500"];
    this.keyPrefix = options.keyPrefix ?? "";
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#agents = this.endpoints.map((endpoint) => createAgent(endpoint, options.tls));
    const { datacenter: dc, namespace: ns, partition } = options;
    this.#settings = Object.fromEntries(Object.entries({ dc, ns, partition }).filter(([, value]) => value)) as Record<
      string,
      string
    >;
    this.#token = options.token ?? this.#readToken();
  }

  async request(request: ConsulRequest): Promise<ConsulReply> {
    const at = this.#current;
    try {
      return await this.#send(this.#agents[at]!, request);
    } catch (error) {
      if (!(error instanceof ConsulError)) throw error;
      const gone = error.reason === "unreachable" || error.reason === "disconnected" || error.reason === "timeout";
      if ((gone || (error.status ?? 0) >= 500) && at === this.#current) this.#current = (at + 1) % this.#agents.length;
      if (error.status === 403 && this.#options.tokenFile !== undefined) this.#token = this.#readToken();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#agents.flatMap(({ calls, blocking }) => [calls.destroy(), blocking.destroy()]));
  }

  async #send(agent: Agent, request: ConsulRequest): Promise<ConsulReply> {
    const { endpoint } = agent;
    if (this.#closed) throw new ConsulError("closed", "the client is closed", { endpoint, outcome: "not-applied" });
    const ended = new AbortController();
    const onAbort = (): void => ended.abort("aborted");
    if (request.signal?.aborted === true) onAbort();
    request.signal?.addEventListener("abort", onAbort, { once: true });
    const leftMs = request.deadline - this.#clock.now();
    const timer =
      leftMs === Number.POSITIVE_INFINITY ? undefined : this.#clock.after(leftMs, () => ended.abort("timeout"));
    try {
      const pool = request.blocking === true ? agent.blocking : agent.calls;
      const answer = await pool.request({
        method: request.method,
        path: this.#pathOf(request),
        headers: this.#headers(request.body),
        body: request.body ?? null,
        signal: ended.signal,
      });
      const body = await answer.body.text();
      const { statusCode: status } = answer;
      if (status !== 200 && request.accept?.includes(status) !== true) throw statusError(status, body, endpoint);
      return { status, body, index: Number(answer.headers["x-consul-index"] ?? 0) };
    } catch (error) {
      if (error instanceof ConsulError) throw error;
      if (!ended.signal.aborted) throw transportError(error, endpoint);
      const aborted = ended.signal.reason === "aborted";
      throw new ConsulError(aborted ? "aborted" : "timeout", aborted ? "given up" : "no answer in time", {
        endpoint,
        outcome: "unknown",
        cause: aborted ? request.signal?.reason : undefined,
      });
    } finally {
      timer?.cancel();
      request.signal?.removeEventListener("abort", onAbort);
    }
  }

  #pathOf({ path, query }: ConsulRequest): string {
    const parameters = new URLSearchParams({ ...this.#settings, ...query }).toString();
    return parameters === "" ? path : `${path}?${parameters}`;
  }

  #headers(body: string | undefined): Record<string, string> {
    const headers: Record<string, string> = {};
    // The session endpoint ignores a chunked body: undici sends strings with their length.
    if (body !== undefined) headers["content-type"] = "application/json";
    if (this.#token !== undefined) headers["x-consul-token"] = this.#token;
    return headers;
  }

  #readToken(): string | undefined {
    const { tokenFile } = this.#options;
    return tokenFile === undefined ? this.#token : readFileSync(tokenFile, "utf8").trim();
  }
}

function createAgent(endpoint: string, tls: ConsulTls | undefined): Agent {
  const socketPath = endpoint.startsWith("unix:") ? endpoint.slice("unix:".length).replace(/^\/\/+/, "/") : undefined;
  const secure = tls !== undefined;
  const origin = socketPath === undefined ? `${secure ? "https" : "http"}://${endpoint}` : "http://localhost";
  const connect = {
    timeout: 3_000,
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(tls === undefined ? {} : tlsOptions(tls)),
  };
  // undici 7 sends nothing again by itself here: it does so only for what is pipelined behind a request that failed,
  // and with `pipelining: 1` nothing is (client-h1.js, `onHttpSocketClose`; test/faults/consul counts the requests).
  const pool = (connections: number): Pool =>
    new Pool(origin, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect });
  return { endpoint, calls: pool(callConnections), blocking: pool(blockingConnections) };
}

function tlsOptions({ ca, cert, key, serverName }: ConsulTls): Record<string, unknown> {
  const options = { ca: pem(ca), cert: pem(cert), key: pem(key), servername: serverName };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function pem(value: string | Uint8Array | undefined): string | Buffer | undefined {
  return value === undefined || typeof value === "string" ? value : Buffer.from(value);
}
