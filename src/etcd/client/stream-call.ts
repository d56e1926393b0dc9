import type { ClientHttp2Stream } from "node:http2";
import type { EtcdError } from "./errors.js";
import { type CallHost, GrpcCall } from "./grpc-call.js";
import { framed, MessageReader } from "./grpc-message.js";
import { type CallStatus, okStatus } from "./grpc-status.js";
import { GrpcStatus } from "./status-codes.js";

/** What a stream calls back. */
export interface StreamListener {
  onMessage(bytes: Uint8Array): void;
  /** Once, last. A stream that the server ended in good order has status `OK`: it is over all the same. */
  onEnd(error: EtcdError): void;
}

/** A two-way stream. */
export interface Stream {
  send(message: Uint8Array): void;
  /** Ends it; `onEnd` is not called any more. */
  end(): void;
}

/** Messages both ways, until either side ends it. */
export class StreamCall extends GrpcCall implements Stream {
  readonly #listener: StreamListener;
  readonly #reader = new MessageReader();

  constructor(host: CallHost, stream: ClientHttp2Stream, listener: StreamListener, sentAt: number) {
    super(host, stream, sentAt, Number.POSITIVE_INFINITY);
    this.#listener = listener;
  }

  send(message: Uint8Array): void {
    if (!this.over) this.stream.write(framed(message));
  }

  end(): void {
    this.abandon();
  }

  protected override received(chunk: Buffer): void {
    this.host.onHeard();
    this.#reader.push(chunk);
    for (let message = this.#next(); message !== undefined; message = this.#next()) this.#listener.onMessage(message);
  }

  protected override ended(status: CallStatus): void {
    this.#listener.onEnd(
      status === okStatus
        ? this.error(GrpcStatus.UNAVAILABLE, "the server ended the stream")
        : this.error(status.code, status.details),
    );
  }

  protected override failed(error: EtcdError): void {
    this.#listener.onEnd(error);
  }

  /** None when whoever listens has ended the stream. */
  #next(): Uint8Array | undefined {
    if (this.over) return undefined;
    try {
      return this.#reader.next();
    } catch (error) {
      this.cancel(this.error(GrpcStatus.INTERNAL, (error as Error).message));
      return undefined;
    }
  }
}
