import { Backoff } from "../../util/backoff.js";
import { type Clock, systemClock } from "../../util/clock.js";
import { anonymous, type CallMetadata, TokenSource } from "./auth.js";
import { Connection } from "./connection.js";
import { parseEndpoint } from "./endpoint.js";
import { type EtcdConnectionState, Endpoints } from "./endpoints.js";
import { EtcdError, isPassing } from "./errors.js";
import { authenticate, type UnaryMethod } from "./methods.js";
import type { ChannelSettings } from "./options.js";
import type { Stream, StreamListener } from "./stream-call.js";
import { pause, within } from "./wait.js";

/** Bounds of one call. */
export interface EtcdCallOptions {
  /** Whole time of the call, waiting for a connection included, in milliseconds. Default: the client's. */
  timeoutMs?: number | undefined;
  /** Ends the call early, with reason `aborted`. */
  signal?: AbortSignal | undefined;
}

/** How the client itself treats a call. */
interface CallPolicy extends EtcdCallOptions {
  /** Have a member that sees no leader refuse at once. Default true. */
  requireLeader?: boolean | undefined;
  /** Send no token. Default false. */
  anonymous?: boolean | undefined;
}

/** A stream and what it was opened with. */
export interface OpenStream {
  readonly stream: Stream;
  readonly connection: Connection;
  readonly metadata: CallMetadata;
}

/**
 * Calls to a cluster: picks the connection, adds the token, keeps the deadline.
 *
 * What is sent again here, all within the call's time: anything that never left the process; a call refused for its
 * token, once, after asking for a new one; and repeatable calls whose answer was lost, on the next endpoint. A write
 * that may have reached a server is never sent again: its error says `outcome: "unknown"`.
 */
export class EtcdChannel {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly #endpoints: Endpoints;
  readonly #tokens: TokenSource | undefined;
  readonly #listeners = new Set<(state: EtcdConnectionState) => void>();
  #state: EtcdConnectionState = { state: "idle" };

  constructor(settings: ChannelSettings) {
    this.clock = settings.clock ?? systemClock;
    this.timeoutMs = settings.timeoutMs ?? 5_000;
    const { tls, keepalive, auth, dialTimeoutMs = 3_000 } = settings;
    const endpoints = settings.endpoints.map((text) => parseEndpoint(text, tls !== undefined));
    if (endpoints.length === 0) throw new TypeError("etcd: at least one endpoint is needed");
    this.#endpoints = new Endpoints({
      endpoints,
      dial: (endpoint) => new Connection({ endpoint, tls, keepalive, dialTimeoutMs, clock: this.clock }),
      clock: this.clock,
      onState: (state) => this.#setState(state),
    });
    if (auth !== undefined) this.#tokens = new TokenSource(() => this.#authenticate(auth.username, auth.password));
  }

  /** Whether there is a connection, and to whom. */
  get state(): EtcdConnectionState {
    return this.#state;
  }

  /** Calls `listener` at each change of {@link state}; the result ends that. */
  onStateChange(listener: (state: EtcdConnectionState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One request, one answer. Rejects with an {@link EtcdError}. The request is encoded before this returns. */
  async unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    policy: CallPolicy = {},
  ): Promise<Response> {
    const message = method.encode(request);
    const { signal } = policy;
    const deadline = this.clock.now() + (policy.timeoutMs ?? this.timeoutMs);
    let backoff: Backoff | undefined;
    let tokenRefused = false;
    for (;;) {
      const metadata = policy.anonymous === true ? anonymous : await this.#metadata(deadline, signal);
      const connection =
        this.#endpoints.ready ?? (await this.#endpoints.connection(deadline - this.clock.now(), signal));
      try {
        const answer = await connection.unary({
          path: method.path,
          message,
          metadata: policy.requireLeader === false ? metadata.plain : metadata.withLeader,
          timeoutMs: this.#attemptMs(deadline - this.clock.now(), method.repeatable),
          signal,
        });
        return method.decode(answer);
      } catch (error) {
        if (!(error instanceof EtcdError)) throw error;
        this.noteFailure(connection, metadata, error);
        if (error.reason === "unauthenticated" && this.#tokens !== undefined && !policy.anonymous && !tokenRefused) {
          tokenRefused = true;
          continue;
        }
        const again = error.reason === "unreachable" || (method.repeatable && isPassing(error));
        backoff ??= new Backoff({ initialMs: 10, maximumMs: 500 });
        const pauseMs = backoff.next();
        if (!again || this.clock.now() + pauseMs >= deadline) throw error;
        await pause(pauseMs, signal, this.clock);
      }
    }
  }

  /** Opens a stream once there is a connection and a token. */
  async open(path: string, listener: StreamListener, timeoutMs: number, signal: AbortSignal): Promise<OpenStream> {
    const deadline = this.clock.now() + timeoutMs;
    const metadata = await this.#metadata(deadline, signal);
    const connection = await this.#endpoints.connection(deadline - this.clock.now(), signal);
    return { stream: connection.stream(path, metadata.withLeader, listener), connection, metadata };
  }

  /** Draws the consequences of a failure: which endpoint to use next, and whether the token is still good. */
  noteFailure(connection: Connection, metadata: CallMetadata, error: EtcdError): void {
    if (error.reason === "unauthenticated") this.#tokens?.invalidate(metadata);
    else if (isPassing(error) && error.reason !== "overloaded") this.#endpoints.leave(connection);
  }

  /** Ends every call and stream, and refuses new ones. */
  close(): void {
    this.#endpoints.close();
  }

  #metadata(deadline: number, signal: AbortSignal | undefined): CallMetadata | Promise<CallMetadata> {
    if (this.#tokens === undefined) return anonymous;
    return this.#tokens.current ?? within(this.#tokens.obtain(), deadline - this.clock.now(), signal, this.clock);
  }

  /** A first try that takes all the time would leave none for another endpoint. */
  #attemptMs(leftMs: number, repeatable: boolean): number {
    return repeatable && this.#endpoints.size > 1 ? Math.max(leftMs / 2, Math.min(leftMs, 500)) : leftMs;
  }

  async #authenticate(name: string, password: string): Promise<string | undefined> {
    try {
      return (await this.unary(authenticate, { name, password }, { anonymous: true })).token;
    } catch (error) {
      // Credentials may be configured before the cluster's authentication is switched on.
      if (error instanceof EtcdError && error.etcdMessage.includes("authentication is not enabled")) return undefined;
      throw error;
    }
  }

  #setState(state: EtcdConnectionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
