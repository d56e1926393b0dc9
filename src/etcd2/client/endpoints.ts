import { Pool } from "undici";
import type { Clock } from "../../util/clock.js";
import { Etcd2Error, transportError } from "./errors.js";

/** TLS settings, each in PEM. */
export interface Etcd2TlsOptions {
  ca?: string | Uint8Array | undefined;
  cert?: string | Uint8Array | undefined;
  key?: string | Uint8Array | undefined;
  /** The name to verify the certificate against, where it is not the host's. */
  serverName?: string | undefined;
}

export interface HttpRequest {
  readonly method: "GET" | "PUT" | "DELETE";
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

/** So many requests may be under way to a member at once; the others queue. */
export const callConnections = 64;
/** How long one connection may take to open, in milliseconds. */
const connectTimeoutMs = 3_000;

interface Member {
  readonly endpoint: string;
  readonly calls: Pool;
  /** Without a limit: each watch that waits takes a connection. */
  readonly waiting: Pool;
}

/** HTTP to one of several members. It moves to the next when one cannot be reached, and never sends a request twice. */
export class Endpoints {
  readonly #clock: Clock;
  readonly #members: readonly Member[];
  #current = 0;
  #closed = false;

  /** `urls` with scheme, host and port; at least one. */
  constructor(urls: readonly string[], tls: Etcd2TlsOptions | undefined, clock: Clock) {
    this.#clock = clock;
    this.#members = urls.map((url) => createMember(url, tls));
  }

  /** Any answer resolves, whatever its status. */
  async request(request: HttpRequest): Promise<HttpReply> {
    const member = this.#members[this.#current]!;
    try {
      return await this.#send(member, request);
    } catch (error) {
      if (error instanceof Etcd2Error && error.reason !== "aborted") this.avoid(member.endpoint);
      throw error;
    }
  }

  /** Another may do better than this one: the next request goes there. */
  avoid(endpoint: string): void {
    if (this.#members[this.#current]!.endpoint === endpoint) this.#current = (this.#current + 1) % this.#members.length;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#members.flatMap(({ calls, waiting }) => [calls.destroy(), waiting.destroy()]));
  }

  async #send({ endpoint, calls, waiting }: Member, request: HttpRequest): Promise<HttpReply> {
    const { method, path, headers = {}, body = null, deadline, signal } = request;
    if (this.#closed) throw new Etcd2Error("closed", "the client is closed", { endpoint, outcome: "not-applied" });
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
      return { status: answer.statusCode, headers: answer.headers, body: text, endpoint };
    } catch (error) {
      if (!ended.signal.aborted) throw transportError(error, endpoint);
      const timeout = ended.signal.reason === "timeout";
      throw new Etcd2Error(timeout ? "timeout" : "aborted", timeout ? "no answer in time" : "given up", {
        endpoint,
        outcome: "unknown",
        cause: timeout ? undefined : signal?.reason,
      });
    } finally {
      timer?.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }
}

function createMember(url: string, tls: Etcd2TlsOptions | undefined): Member {
  const connect = { timeout: connectTimeoutMs, ...(tls === undefined ? {} : tlsOptions(tls)) };
  // undici 7 sends nothing again by itself here: it does so only for what is pipelined behind a request that failed,
  // and with `pipelining: 1` nothing is (client-h1.js, `onHttpSocketClose`; test/faults/etcd2 counts the requests).
  const pool = (connections: number | null): Pool =>
    new Pool(url, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, connect });
  return { endpoint: url.replace(/^https?:\/\//, ""), calls: pool(callConnections), waiting: pool(null) };
}

function tlsOptions({ ca, cert, key, serverName }: Etcd2TlsOptions): Record<string, unknown> {
  const options = { ca: pem(ca), cert: pem(cert), key: pem(key), servername: serverName };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function pem(value: string | Uint8Array | undefined): string | Buffer | undefined {
  return value === undefined || typeof value === "string" ? value : Buffer.from(value);
}
