import { type Clock, systemClock } from "../../util/clock.js";
import { Endpoints, type Etcd2TlsOptions, type HttpReply, type HttpRequest } from "./endpoints.js";
import { answerError, Etcd2Error } from "./errors.js";
import type { EtcdEvent, EtcdState } from "./messages.js";

export interface Etcd2ClientOptions {
  /** URLs with scheme, host and port: members of the same cluster. */
  readonly endpoints: readonly string[];
  readonly tls?: Etcd2TlsOptions | undefined;
  readonly auth?: { readonly username: string; readonly password: string } | undefined;
  readonly clock?: Clock | undefined;
}

/** When a request has to be done, by the clock in milliseconds, and how to give it up before. */
export interface Etcd2Request {
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ReadQuery {
  /** The members agree on the answer; otherwise it is what the asked one knows. */
  readonly quorum: boolean;
  /** The whole tree below, not only the next level. */
  readonly recursive?: boolean | undefined;
}

/** What a write does beside its value, in the terms of the API. */
export interface WriteQuery {
  /** `false`: only where nothing is. `true`: only where something is. */
  readonly prevExist?: boolean | undefined;
  /** Only when this is its `modifiedIndex`; never 0, which the server takes for "whatever there is". */
  readonly prevIndex?: bigint | undefined;
  /** In seconds. */
  readonly ttl?: number | undefined;
  /** Sets the ttl and leaves the value, without a word to watches. */
  readonly refresh?: boolean | undefined;
  /** The answer need not repeat the values. */
  readonly noValueOnSuccess?: boolean | undefined;
}

export interface DeleteQuery {
  readonly prevIndex?: bigint | undefined;
  /** A directory too, if it is empty. */
  readonly dir?: boolean | undefined;
  readonly recursive?: boolean | undefined;
}

export interface WatchQuery {
  /** Events from this index on. */
  readonly waitIndex: number;
  readonly recursive: boolean;
}

/** What a write did. */
export interface Written extends Partial<EtcdEvent> {
  /** Its `modifiedIndex`. */
  readonly index: number;
}

/** The keys API of etcd's version 2 over HTTP. Paths are keys from the slash on, not encoded. */
export class Etcd2Client {
  readonly endpoints: readonly string[];
  readonly #http: Endpoints;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #anonymous: boolean;

  constructor(options: Etcd2ClientOptions) {
    const { endpoints, tls, auth, clock = systemClock } = options;
    this.endpoints = endpoints;
    this.#http = new Endpoints(endpoints, tls, clock);
    this.#anonymous = auth === undefined && tls?.cert === undefined;
    const credentials = auth && Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
    this.#headers = credentials === undefined ? {} : { authorization: `Basic ${credentials}` };
  }

  async get(path: string, query: ReadQuery, request: Etcd2Request): Promise<EtcdState> {
    const reply = await this.#send({ method: "GET", path: pathOf(path, { ...query }), ...request });
    return { node: (JSON.parse(reply.body) as EtcdEvent).node, index: indexOf(reply) };
  }

  async put(path: string, value: string | undefined, query: WriteQuery, request: Etcd2Request): Promise<Written> {
    const body = value === undefined ? undefined : `value=${encodeURIComponent(value)}`;
    const reply = await this.#send({ method: "PUT", path: pathOf(path, { ...query }), body, ...request });
    return written(reply);
  }

  async delete(path: string, query: DeleteQuery, request: Etcd2Request): Promise<Written> {
    return written(await this.#send({ method: "DELETE", path: pathOf(path, { ...query }), ...request }));
  }

  /** The next event, whenever it comes. Code 401 says that the index is older than the last 1,000 events. */
  async wait(path: string, query: WatchQuery, request: Etcd2Request): Promise<EtcdEvent> {
    const where = pathOf(path, { wait: true, ...query });
    const reply = await this.#send({ method: "GET", path: where, waits: true, ...request });
    // A member that shuts down ends the wait without an event.
    if (reply.body === "") {
      const { endpoint } = reply;
      this.#http.avoid(endpoint);
      throw new Etcd2Error("disconnected", "the server ended the watch", { endpoint, outcome: "not-applied" });
    }
    return JSON.parse(reply.body) as EtcdEvent;
  }

  close(): Promise<void> {
    return this.#http.close();
  }

  async #send(request: HttpRequest): Promise<HttpReply> {
    const type = request.body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" };
    const reply = await this.#http.request({ ...request, headers: { ...this.#headers, ...type } });
    if (reply.status === 200 || reply.status === 201) return reply;
    // A member that lost its leader, or is going down: another may do.
    if (reply.status >= 500) this.#http.avoid(reply.endpoint);
    throw answerError(reply.status, reply.body, reply.endpoint, this.#anonymous);
  }
}

/** For writes, the index of the whole store is that of the write. */
function written(reply: HttpReply): Written {
  const event = JSON.parse(reply.body) as Partial<EtcdEvent>;
  return { ...event, index: event.node?.modifiedIndex ?? indexOf(reply) };
}

function indexOf({ headers }: HttpReply): number {
  return Number(headers["x-etcd-index"] ?? 0);
}

function pathOf(path: string, query: Record<string, string | number | bigint | boolean | undefined>): string {
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const parameters: string[] = [];
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.push(`${name}=${value}`);
  return `/v2/keys${encoded}${parameters.length === 0 ? "" : `?${parameters.join("&")}`}`;
}
