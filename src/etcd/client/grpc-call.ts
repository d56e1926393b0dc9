import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { type EtcdError, errorFromStatus } from "./errors.js";
import { type CallStatus, statusIn, statusOfHttp } from "./grpc-status.js";
import { GrpcStatus } from "./status-codes.js";

/** What a call needs of the connection that it is made on. */
export interface CallHost {
  /** `host:port`, for errors. */
  readonly name: string;
  /** The server answered something. */
  onHeard(): void;
  /** Whether the server surely did not look at the request: it refused the stream, or said so when it went away. */
  refused(stream: ClientHttp2Stream): boolean;
  /** Why the connection is no more; `undefined` while it is. `cause` is what the stream says about that. */
  broken(cause: Error | undefined): string | undefined;
  /** The call is over. Called once, before whoever waits for it hears of that. */
  onOver(call: GrpcCall): void;
}

/** A call on an HTTP/2 stream of its own, from opening to status. Source: grpc/doc/PROTOCOL-HTTP2.md. */
export abstract class GrpcCall {
  /** Monotonic times, in milliseconds. */
  readonly sentAt: number;
  readonly deadline: number;
  protected readonly host: CallHost;
  protected readonly stream: ClientHttp2Stream;
  #httpStatus: number | undefined;
  #streamError: Error | undefined;
  #over = false;

  constructor(host: CallHost, stream: ClientHttp2Stream, sentAt: number, deadline: number) {
    this.host = host;
    this.stream = stream;
    this.sentAt = sentAt;
    this.deadline = deadline;
    stream.on("response", (headers, flags) => this.#responded(headers, flags));
    stream.on("data", (chunk: Buffer) => this.received(chunk));
    stream.on("trailers", (trailers) => this.#completed(trailers));
    stream.on("error", (error) => {
      this.#streamError = error;
    });
    stream.on("close", () => {
      if (!this.#over) this.#end(this.#lost());
    });
  }

  /** The status is known, or nobody waits for it any more. */
  get over(): boolean {
    return this.#over;
  }

  /** Gives the call up with this error, and tells the server. */
  cancel(error: EtcdError): void {
    if (!this.abandon()) return;
    this.failed(error);
  }

  /** Part of what the server sends came. */
  protected abstract received(chunk: Buffer): void;

  /** The server says how the call ended, or else the connection does. The last to be called, and once. */
  protected abstract ended(status: CallStatus): void;

  /** The call was given up. In place of `ended`. */
  protected abstract failed(error: EtcdError): void;

  /** Tells the server that nobody listens any more. False when the call is over already. */
  protected abandon(): boolean {
    if (this.#over) return false;
    this.#settle();
    this.stream.close(constants.NGHTTP2_CANCEL);
    return true;
  }

  protected error(code: number, text: string): EtcdError {
    return errorFromStatus(code, text, this.host.name);
  }

  #responded(headers: IncomingHttpHeaders, flags: number): void {
    this.host.onHeard();
    this.#httpStatus = Number(headers[":status"]);
    // Nothing else comes where there is nothing but a status.
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) this.#completed(headers);
  }

  #completed(trailers: IncomingHttpHeaders): void {
    const status = this.#over ? undefined : statusIn(trailers);
    // Without one, the end of the stream tells.
    if (status !== undefined) this.#end(status);
  }

  #end(status: CallStatus): void {
    this.#settle();
    this.ended(status);
    // What is still to be sent, nobody waits for.
    if (!this.stream.writableFinished) this.stream.close(constants.NGHTTP2_CANCEL);
  }

  #settle(): void {
    this.#over = true;
    this.host.onOver(this);
  }

  /** The stream closed, and the server did not say what came of the call. */
  #lost(): CallStatus {
    const { rstCode } = this.stream;
    if (this.host.refused(this.stream)) return { code: GrpcStatus.UNAVAILABLE, details: "Stream refused by server" };
    const broken = this.host.broken(this.#streamError);
    if (broken !== undefined) return { code: GrpcStatus.UNAVAILABLE, details: broken };
    if (rstCode === constants.NGHTTP2_CANCEL) return { code: GrpcStatus.CANCELLED, details: "Call cancelled" };
    if (this.#httpStatus !== undefined && this.#httpStatus !== 200) return statusOfHttp(this.#httpStatus);
    return { code: GrpcStatus.INTERNAL, details: `the call ended without a status, with HTTP/2 code ${rstCode}` };
  }
}
