import { readFileSync } from "node:fs";
import { Pool } from "undici";
import { type Clock, systemClock, type Timer } from "../../util/clock.js";
import { ConsulError, statusError, transportError } from "./errors.js";
import { Exchange, type RawReply } from "./exchange.js";

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

/** An answer; `index` is what a blocking query goes on from. */
export type ConsulReply = RawReply;

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
  /** What every request's query begins with. */
  readonly #settings: string;
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
    const settings = Object.entries({ dc, ns, partition }).filter(([, value]) => value);
    this.#settings = new URLSearchParams(settings as [string, string][]).toString();
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

  #send(agent: Agent, request: ConsulRequest): Promise<ConsulReply> {
    const { endpoint } = agent;
    const { signal, accept } = request;
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        return reject(new ConsulError("closed", "the client is closed", { endpoint, outcome: "not-applied" }));
      }
      let timer: Timer | undefined;
      const settle = (): void => {
        timer?.cancel();
        signal?.removeEventListener("abort", onAbort);
      };
      const exchange = new Exchange(
        (reply) => {
          settle();
          const { status } = reply;
          if (status === 200 || accept?.includes(status) === true) resolve(reply);
          else reject(statusError(status, reply.body, endpoint));
        },
        (error) => {
          settle();
          reject(error instanceof ConsulError ? error : transportError(error, endpoint));
        },
      );
      const giveUp = (reason: "aborted" | "timeout", why: string, cause?: unknown): void =>
        exchange.giveUp(new ConsulError(reason, why, { endpoint, outcome: "unknown", cause }));
      const onAbort = (): void => giveUp("aborted", "given up", signal?.reason);
      if (signal?.aborted === true) return onAbort();
      signal?.addEventListener("abort", onAbort, { once: true });
      const leftMs = request.deadline - this.#clock.now();
      if (leftMs !== Number.POSITIVE_INFINITY) {
        timer = this.#clock.after(leftMs, () => giveUp("timeout", "no answer in time"));
      }
      const { method, body = null } = request;
      const pool = request.blocking === true ? agent.blocking : agent.calls;
      pool.dispatch({ method, path: this.#pathOf(request), headers: this.#headers(body), body }, exchange);
    });
  }

  #pathOf({ path, query }: ConsulRequest): string {
    let text = this.#settings;
    for (const name in query) text += `${text === "" ? "" : "&"}${name}=${encodeURIComponent(query[name]!)}`;
    return text === "" ? path : `${path}?${text}`;
  }

  #headers(body: string | null): Record<string, string> {
    const headers: Record<string, string> = {};
    // The session endpoint ignores a chunked body: undici sends strings with their length.
    if (body !== null) headers["content-type"] = "application/json";
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
