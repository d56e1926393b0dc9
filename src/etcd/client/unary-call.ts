import type { ClientHttp2Stream } from "node:http2";
import type { Metadata } from "./auth.js";
import { abortedError, type EtcdError } from "./errors.js";
import { type CallHost, GrpcCall } from "./grpc-call.js";
import { framed, messageIn } from "./grpc-message.js";
import { type CallStatus, okStatus } from "./grpc-status.js";
import { GrpcStatus } from "./status-codes.js";

/** One request and what bounds it. */
export interface UnaryRequest {
  readonly path: string;
  readonly message: Uint8Array;
  readonly metadata: Metadata;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One request and its answer: a promise that settles once. */
export class UnaryCall extends GrpcCall {
  readonly promise: Promise<Uint8Array>;
  readonly #signal: AbortSignal | undefined;
  readonly #chunks: Buffer[] = [];
  #resolve!: (message: Uint8Array) => void;
  #reject!: (error: EtcdError) => void;

  /** Sends the request, which is all there is to send, on a stream that was just opened. */
  constructor(host: CallHost, stream: ClientHttp2Stream, request: UnaryRequest, sentAt: number) {
    super(host, stream, sentAt, sentAt + request.timeoutMs);
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#signal = request.signal;
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    stream.end(framed(request.message));
  }

  protected override received(chunk: Buffer): void {
    if (!this.over) this.#chunks.push(chunk);
  }

  protected override ended(status: CallStatus): void {
    this.#forgetSignal();
    if (status !== okStatus) return this.#reject(this.error(status.code, status.details));
    if (this.#chunks.length === 0) {
      return this.#reject(this.error(GrpcStatus.UNAVAILABLE, "the server ended the call without an answer"));
    }
    try {
      this.#resolve(messageIn(this.#chunks));
    } catch (error) {
      this.#reject(this.error(GrpcStatus.INTERNAL, (error as Error).message));
    }
  }

  protected override failed(error: EtcdError): void {
    this.#forgetSignal();
    this.#reject(error);
  }

  readonly #onAbort = (): void => this.cancel(abortedError(this.#signal!, "unknown", this.host.name));

  #forgetSignal(): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }
}
