import {
  Channel,
  type ChannelCredentials,
  type ChannelOptions,
  connectivityState as ConnectivityState,
  Metadata,
  status as GrpcStatus,
} from "@grpc/grpc-js";
import type { Clock } from "../../util/clock.js";
import type { Endpoint } from "./endpoint.js";
import { abortedError, closedError, type EtcdError, errorFromStatus } from "./errors.js";

type Call = ReturnType<Channel["createCall"]>;
type Status = Parameters<Parameters<Call["start"]>[1]["onReceiveStatus"]>[0];

/** One request and what bounds it. */
export interface UnaryCall {
  readonly path: string;
  readonly payload: Buffer;
  readonly metadata: Metadata;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What a stream calls back. */
export interface StreamListener {
  onMessage(bytes: Uint8Array): void;
  /** Once, last. A stream that the server ended in good order has status `OK`: it is over all the same. */
  onEnd(error: EtcdError): void;
}

/** A two-way stream. */
export interface Stream {
  send(payload: Buffer): void;
  /** Ends it; `onEnd` is not called any more. */
  cancel(): void;
}

/** A connection that answers nothing for this long while a call times out is taken for dead. In milliseconds. */
const muteMs = 1_000;

/**
 * One connection to one endpoint, from dialling to loss: never used again after that, so that the next one looks its
 * host name up again and inherits no backoff.
 *
 * Calls go straight to the channel's `createCall`, below grpc-js's `Client`: that leaves out its interceptors, event
 * emitter and the stack trace it records for every call (about a fifth of a call's processor time).
 *
 * grpc-js's own retries (1.14, retrying-call.ts): by default, even without a retry policy, it sends a call again by
 * itself when it failed before getting a stream, and once more when the server refused its stream. Both are harmless in
 * theory, since nothing was carried out. With `grpc.enable_retries: 0` neither happens: every failure is reported after
 * the first attempt. Kvasir sets that, so that what was sent, and how often, is known here.
 */
export class Connection {
  readonly endpoint: Endpoint;
  readonly #channel: Channel;
  readonly #clock: Clock;
  readonly #active = new Map<Call, (error: EtcdError) => void>();
  #onLost: ((error: EtcdError) => void) | undefined;
  #over: EtcdError | undefined;
  #heardAt = 0;

  constructor(endpoint: Endpoint, credentials: ChannelCredentials, options: ChannelOptions, clock: Clock) {
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#channel = new Channel(endpoint.target, credentials, options);
  }

  /** Whether calls can be made now. */
  get ready(): boolean {
    return this.#over === undefined && this.#channel.getConnectivityState(false) === ConnectivityState.READY;
  }

  /** Calls and streams under way. */
  get active(): number {
    return this.#active.size;
  }

  /** Dials. Rejects when that fails or takes longer than `timeoutMs`; from then on the connection is over. */
  connect(timeoutMs: number, onLost: (error: EtcdError) => void): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      const giveUp = (why: string): void => {
        const error = errorFromStatus(GrpcStatus.UNAVAILABLE, why, this.endpoint.name);
        this.#end(error);
        reject(error);
      };
      const look = (late?: Error): void => {
        if (this.#over !== undefined) return reject(this.#over);
        if (late !== undefined) return giveUp(`No connection established in ${timeoutMs} ms`);
        const state = this.#channel.getConnectivityState(true);
        if (state === ConnectivityState.READY) {
          this.#heardAt = this.#clock.now();
          this.#onLost = onLost;
          this.#channel.watchConnectivityState(state, Infinity, () =>
            this.#end(this.#error("the connection was lost")),
          );
          return resolve();
        }
        if (state === ConnectivityState.TRANSIENT_FAILURE) return this.#whyNotConnected(giveUp);
        this.#channel.watchConnectivityState(state, deadline, look);
      };
      look();
    });
  }

  /**
   * A channel tells its state, not the reason for it; only a call that fails on it does. This one, which could do no
   * harm were it sent after all, fails at once with "No connection established. Last error: ...".
   */
  #whyNotConnected(tell: (why: string) => void): void {
    const call = this.#channel.createCall("/etcdserverpb.Maintenance/Status", Date.now() + 1_000, null, null, null);
    call.start(new Metadata(), {
      onReceiveMetadata: () => {},
      onReceiveMessage: () => {},
      onReceiveStatus: (status) => tell(status.details),
    });
    call.sendMessageWithContext({}, Buffer.alloc(0));
    call.startRead();
    call.halfClose();
  }

  /** Sends one request and waits for its answer. Rejects with an {@link EtcdError}. */
  unary({ path, payload, metadata, timeoutMs, signal }: UnaryCall): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#error("No connection established"));
      if (signal?.aborted === true) return reject(abortedError(signal, "not-applied", this.endpoint.name));
      const sentAt = this.#clock.now();
      const call = this.#channel.createCall(path, Date.now() + timeoutMs, null, null, null);
      let answer: Uint8Array | undefined;
      let settle: (() => void) | undefined = () => {
        settle = undefined;
        this.#active.delete(call);
        signal?.removeEventListener("abort", onAbort);
      };
      const fail = (error: EtcdError): void => {
        if (settle === undefined) return;
        settle();
        reject(error);
        call.cancelWithStatus(GrpcStatus.CANCELLED, "");
      };
      const onAbort = (): void => fail(abortedError(signal!, "unknown", this.endpoint.name));
      this.#active.set(call, fail);
      signal?.addEventListener("abort", onAbort, { once: true });
      call.start(metadata, {
        onReceiveMetadata: () => {
          this.#heardAt = this.#clock.now();
        },
        onReceiveMessage: (message: Uint8Array) => {
          answer = message;
        },
        onReceiveStatus: (status) => {
          if (settle === undefined) return;
          settle();
          if (status.code === GrpcStatus.OK && answer !== undefined) return resolve(answer);
          reject(this.#failure(status));
          if (status.code === GrpcStatus.DEADLINE_EXCEEDED) this.suspectMute(sentAt);
        },
      });
      call.sendMessageWithContext({}, payload);
      call.startRead();
      call.halfClose();
    });
  }

  /** Opens a two-way stream, which lasts until either side ends it. Throws when the connection is over. */
  stream(path: string, metadata: Metadata, listener: StreamListener): Stream {
    if (this.#over !== undefined) throw this.#error("No connection established");
    const call = this.#channel.createCall(path, Infinity, null, null, null);
    // grpc-js holds a single message until its stream is open, and would forget all but the last: one at a time.
    const outbox: Buffer[] = [];
    let sending = false;
    let open = true;
    const sendNext = (): void => {
      const payload = open ? outbox.shift() : undefined;
      sending = payload !== undefined;
      if (payload !== undefined) call.sendMessageWithContext({ callback: sendNext }, payload);
    };
    const end = (error?: EtcdError): void => {
      if (!open) return;
      open = false;
      outbox.length = 0;
      this.#active.delete(call);
      call.cancelWithStatus(GrpcStatus.CANCELLED, "");
      if (error !== undefined) listener.onEnd(error);
    };
    this.#active.set(call, end);
    call.start(metadata, {
      onReceiveMetadata: () => {
        this.#heardAt = this.#clock.now();
      },
      onReceiveMessage: (message: Uint8Array) => {
        if (!open) return;
        this.#heardAt = this.#clock.now();
        listener.onMessage(message);
        if (open) call.startRead();
      },
      onReceiveStatus: (status) => end(this.#failure(status)),
    });
    call.startRead();
    return {
      send: (payload) => {
        outbox.push(payload);
        if (!sending) sendNext();
      },
      cancel: () => end(),
    };
  }

  /** Gives the connection up: calls under way fail as disconnected. */
  fail(why: string): void {
    const error = this.#error(why);
    this.#end(error);
    this.#endCalls(error);
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
    const error = closedError("unknown", this.endpoint.name);
    this.#end(error);
    this.#endCalls(error);
  }

  /**
   * The channel's `close` lets calls under way end by themselves: those of a lost connection do so at once, and those
   * of a connection that the server is winding up (GOAWAY) may still get their answers.
   */
  #end(error: EtcdError): void {
    if (this.#over !== undefined) return;
    this.#over = error;
    this.#channel.close();
    this.#onLost?.(error);
  }

  #endCalls(error: EtcdError): void {
    for (const end of this.#active.values()) end(error);
  }

  #failure(status: Status): EtcdError {
    if (status.code === GrpcStatus.OK) return this.#error("the server ended the call without an answer");
    return errorFromStatus(status.code, status.details, this.endpoint.name);
  }

  #error(why: string): EtcdError {
    return errorFromStatus(GrpcStatus.UNAVAILABLE, why, this.endpoint.name);
  }
}
