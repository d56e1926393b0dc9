import http2, { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../util/clock.js";
import { createDeferred } from "../../util/deferred.js";
import type { Metadata } from "./auth.js";
import { CallDeadlines } from "./call-deadlines.js";
import type { Endpoint } from "./endpoint.js";
import { abortedError, closedError, type EtcdError, errorFromStatus } from "./errors.js";
import type { CallHost, GrpcCall } from "./grpc-call.js";
import type { ChannelSettings } from "./options.js";
import { RequestHeaders } from "./request-headers.js";
import { SessionPings } from "./session-pings.js";
import { openSocket } from "./socket.js";
import { GrpcStatus } from "./status-codes.js";
import { type Stream, StreamCall, type StreamListener } from "./stream-call.js";
import { UnaryCall, type UnaryRequest } from "./unary-call.js";

export interface ConnectionOptions extends Pick<ChannelSettings, "tls" | "keepalive"> {
  endpoint: Endpoint;
  /** Longest time to dial, in milliseconds. */
  dialTimeoutMs: number;
  clock: Clock;
}

/** A connection that answers nothing for this long while a call times out is taken for dead. In milliseconds. */
const muteMs = 1_000;

/** How much may be under way to us, in bytes. HTTP/2's 64 KiB make a large range wait for a word from us every 64 KiB. */
const windowBytes = 4 * 1024 * 1024;

/**
 * One connection to one endpoint, from dialling to loss: never used again after that, so that the next one looks its
 * host name up again and inherits no backoff.
 *
 * gRPC's framing on an HTTP/2 session of Node's, and nothing between: a call takes two thirds of the processor time that
 * it takes on `@grpc/grpc-js`.
 *
 * A request is sent once. What is called not applied is what surely reached no handler of the server: calls for which no
 * stream could be opened, streams that the server refused, and those that its GOAWAY leaves out (RFC 9113, sections 6.8
 * and 8.7). Of all others that got no answer, nobody knows.
 */
export class Connection implements CallHost {
  readonly endpoint: Endpoint;
  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #headers: RequestHeaders;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  /** Made anew whenever it is empty: the tables of one that is used for long keep old calls from being collected. */
  #active = new Set<GrpcCall>();
  readonly #deadlines: CallDeadlines<GrpcCall>;
  readonly #pings: SessionPings;
  readonly #connected = createDeferred<void>();
  #onLost: ((error: EtcdError) => void) | undefined;
  #over: EtcdError | undefined;
  /** Why the connection was lost; `undefined` where it came to its end in good order, or to none. */
  #cause: string | undefined;
  #destroyed = false;
  #goaway: { readonly code: number; readonly lastStream: number } | undefined;
  #heardAt = 0;

  /** Dials. */
  constructor(options: ConnectionOptions) {
    const { endpoint, clock, tls, keepalive } = options;
    this.endpoint = endpoint;
    this.#options = options;
    this.#clock = clock;
    this.#headers = new RequestHeaders(endpoint, tls?.serverName);
    // What waits for an answer, or for a connection, holds the process open; a connection alone does not.
    this.#socket = openSocket(endpoint, tls).unref();
    // Scheme and authority are those of each request; what is named here is not used.
    this.#session = http2.connect("http://etcd", {
      createConnection: () => this.#socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
      // With the default of 10 MB, streams are refused while large answers come.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
    });
    this.#deadlines = new CallDeadlines(
      clock,
      () => this.#active,
      (call) => {
        call.cancel(this.#late(call));
        this.suspectMute(call.sentAt);
      },
    );
    this.#pings = new SessionPings({
      session: this.#session,
      clock,
      intervalMs: keepalive?.intervalMs ?? 10_000,
      timeoutMs: keepalive?.timeoutMs ?? 5_000,
      isBusy: () => this.#active.size > 0,
      onSilence: () => this.fail("the server does not answer a ping"),
    });
    this.#followSession();
  }

  /** `host:port`, for errors. */
  get name(): string {
    return this.endpoint.name;
  }

  /** Whether calls can be made now. */
  get ready(): boolean {
    return this.#onLost !== undefined && this.#over === undefined;
  }

  /** Calls and streams under way. */
  get active(): number {
    return this.#active.size;
  }

  /**
   * Resolves when the server has answered in HTTP/2. Rejects when that fails or takes too long; from then on the
   * connection is over.
   */
  async connect(onLost: (error: EtcdError) => void): Promise<void> {
    const { dialTimeoutMs } = this.#options;
    const late = (): void => this.#end(this.#error(`No connection established in ${dialTimeoutMs} ms`));
    const timer = this.#clock.after(dialTimeoutMs, late, { keepAlive: false });
    try {
      await this.#connected.promise;
      this.#onLost = onLost;
    } catch (error) {
      if (this.#cause === undefined) throw error;
      throw this.#error(`No connection established. Last error: ${this.#cause}`);
    } finally {
      timer.cancel();
    }
  }

  /** Sends one request and waits for its answer. Rejects with an {@link EtcdError}. */
  unary(request: UnaryRequest): Promise<Uint8Array> {
    const { path, metadata, timeoutMs, signal } = request;
    if (signal?.aborted === true) return Promise.reject(abortedError(signal, "not-applied", this.name));
    try {
      const stream = this.#open(path, metadata, timeoutMs);
      const call = new UnaryCall(this, stream, request, this.#clock.now());
      this.#began(call);
      return call.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Opens a two-way stream, which lasts until either side ends it. Throws when the connection is over. */
  stream(path: string, metadata: Metadata, listener: StreamListener): Stream {
    const call = new StreamCall(this, this.#open(path, metadata), listener, this.#clock.now());
    this.#began(call);
    return call;
  }

  /** Gives the connection up: calls under way fail as disconnected. */
  fail(why: string): void {
    if (this.#destroyed) return;
    this.#cause = why;
    this.#end(this.#error(`the connection was lost: ${why}`));
    // The calls fail as their streams close.
    this.#destroy();
  }

  /**
   * Something sent at this monotonic time got no answer: when nothing else came either, gives the connection up, as the
   * next call would only time out too. Less than `patienceMs` after the sending says nothing.
   */
  suspectMute(sentAt: number, patienceMs = muteMs): void {
    if (this.#heardAt < sentAt && this.#clock.now() - sentAt >= patienceMs) this.fail("nothing heard from the server");
  }

  /** No new calls; those under way go on to their end. */
  retire(): void {
    this.#end(this.#error("No connection established: the client has moved on"));
  }

  /** Ends everything on the connection because the client closes. */
  close(): void {
    const error = closedError("unknown", this.name);
    for (const call of this.#active) call.cancel(error);
    this.#end(error);
  }

  onHeard(): void {
    this.#heardAt = this.#clock.now();
  }

  refused(stream: ClientHttp2Stream): boolean {
    if (this.#goaway !== undefined && stream.id !== undefined && stream.id > this.#goaway.lastStream) return true;
    // When a session ends with a code, Node gives that to all its streams: it is the server's word on none of them.
    const given = this.#goaway !== undefined && this.#goaway.code !== constants.NGHTTP2_NO_ERROR;
    return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && !given;
  }

  broken(cause: Error | undefined): string | undefined {
    if (!this.#session.destroyed) return undefined;
    this.fail(cause === undefined ? "the server closed it" : reasonOf(cause));
    return `the connection was lost: ${this.#cause}`;
  }

  onOver(call: GrpcCall): void {
    this.#active.delete(call);
    if (this.#active.size > 0) return;
    this.#active = new Set();
    this.#socket.unref();
    if (this.#over !== undefined) this.#destroy();
  }

  #followSession(): void {
    this.#session.once("remoteSettings", () => {
      if (this.#over !== undefined) return;
      this.#session.setLocalWindowSize(windowBytes);
      this.onHeard();
      this.#connected.resolve();
    });
    this.#session.on("error", (error) => this.fail(reasonOf(error)));
    this.#session.on("close", () => this.fail("the server closed it"));
    this.#session.on("goaway", (code, lastStream) => {
      this.#goaway = { code, lastStream };
      // In good order, it may still answer what is under way.
      if (code === constants.NGHTTP2_NO_ERROR)
        this.#end(this.#error("the connection was lost: the server is stopping"));
      else this.fail(`the server hung up with HTTP/2 code ${code}`);
    });
  }

  #open(path: string, metadata: Metadata, timeoutMs?: number): ClientHttp2Stream {
    if (this.#over !== undefined) throw this.#error("No connection established");
    try {
      return this.#session.request(this.#headers.of(path, metadata, timeoutMs));
    } catch (error) {
      this.fail(reasonOf(error));
      throw this.#error(`Failed to start HTTP/2 stream: ${reasonOf(error)}`);
    }
  }

  #began(call: GrpcCall): void {
    this.#active.add(call);
    if (this.#active.size === 1) this.#socket.ref();
    this.#deadlines.add(call.deadline);
    this.#pings.busy();
  }

  #end(error: EtcdError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#connected.reject(error);
    if (this.#active.size === 0) this.#destroy();
    this.#onLost?.(error);
  }

  #destroy(): void {
    this.#destroyed = true;
    this.#deadlines.stop();
    this.#pings.stop();
    this.#session.destroy();
    // A session waits until everything is written, which on a stalled line is never.
    this.#socket.destroy();
  }

  #late({ sentAt, deadline }: GrpcCall): EtcdError {
    const text = `Deadline exceeded: no answer in ${Math.round(deadline - sentAt)} ms`;
    return errorFromStatus(GrpcStatus.DEADLINE_EXCEEDED, text, this.name);
  }

  #error(why: string): EtcdError {
    return errorFromStatus(GrpcStatus.UNAVAILABLE, why, this.name);
  }
}

/** A connect to several addresses fails with an error for each. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return thrown.errors.map(reasonOf).join("; ");
  return thrown instanceof Error ? thrown.message : String(thrown);
}
