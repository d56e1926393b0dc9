import { Backoff } from "../../util/backoff.js";
import type { Timer } from "../../util/clock.js";
import type { EtcdChannel, OpenStream } from "./channel.js";
import { EtcdError } from "./errors.js";

export interface KeptStreamHandler {
  /** A new stream is open and has carried nothing yet. */
  onOpen(): void;
  onMessage(bytes: Uint8Array): void;
  /** The stream is gone; another will be opened unless `stop` is called. */
  onDown(error: EtcdError): void;
  /** No stream will ever open: the server has no such call, or does not take the user. The stream is stopped. */
  onRefused(error: EtcdError): void;
}

/** One attempt to open a stream may wait this long for a connection before it is counted as failed. In milliseconds. */
const openTimeoutMs = 10_000;

/**
 * A stream that is opened again whenever it ends, in good order or not, on the next endpoint where there is one, with
 * a jittered pause that grows until something is heard.
 */
export class KeptStream {
  readonly #channel: EtcdChannel;
  readonly #path: string;
  readonly #handler: KeptStreamHandler;
  readonly #backoff = new Backoff({ initialMs: 50, maximumMs: 3_000 });
  #open: OpenStream | undefined;
  /** Ends the attempt to open a stream; there while the stream is wanted. */
  #wanted: AbortController | undefined;
  #pause: Timer | undefined;
  #heardAt = 0;

  constructor(channel: EtcdChannel, path: string, handler: KeptStreamHandler) {
    this.#channel = channel;
    this.#path = path;
    this.#handler = handler;
  }

  /** The stream, while there is one. */
  get open(): OpenStream | undefined {
    return this.#open;
  }

  /** Monotonic time at which the stream last brought a message, or was opened. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Opens the stream and keeps it open. */
  start(): void {
    if (this.#wanted !== undefined) return;
    this.#wanted = new AbortController();
    void this.#openNow(this.#wanted);
  }

  /** Ends the stream; `onDown` is not called. */
  stop(): void {
    this.#wanted?.abort();
    this.#wanted = undefined;
    this.#pause?.cancel();
    this.#open?.stream.end();
    this.#open = undefined;
  }

  send(message: Uint8Array): void {
    this.#open?.stream.send(message);
  }

  /** Drops the stream as if the server had ended it with `error`. */
  drop(error: EtcdError): void {
    this.#open?.stream.end();
    this.#ended(error);
  }

  async #openNow(wanted: AbortController): Promise<void> {
    const listener = {
      onMessage: (bytes: Uint8Array): void => {
        this.#heardAt = this.#channel.clock.now();
        this.#backoff.reset();
        this.#handler.onMessage(bytes);
      },
      onEnd: (error: EtcdError): void => this.#ended(error),
    };
    try {
      const open = await this.#channel.open(this.#path, listener, openTimeoutMs, wanted.signal);
      if (this.#wanted !== wanted) return open.stream.end();
      this.#open = open;
      this.#heardAt = this.#channel.clock.now();
      this.#handler.onOpen();
    } catch (error) {
      if (this.#wanted !== wanted || !(error instanceof EtcdError) || error.reason === "closed") return;
      if (permanent.has(error.reason) || error.reason === "unauthenticated") return this.#refuse(error);
      this.#handler.onDown(error);
      this.#openLater();
    }
  }

  #ended(error: EtcdError): void {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined || error.reason === "closed") return;
    this.#channel.noteFailure(open.connection, open.metadata, error);
    if (permanent.has(error.reason)) return this.#refuse(error);
    this.#handler.onDown(error);
    this.#openLater();
  }

  #openLater(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    this.#pause = this.#channel.clock.after(this.#backoff.next(), () => void this.#openNow(wanted));
  }

  #refuse(error: EtcdError): void {
    this.stop();
    this.#handler.onRefused(error);
  }
}

/** Reasons for which a stream as a whole will not do better next time. A token refused on one is asked for anew. */
const permanent: ReadonlySet<string> = new Set(["unimplemented", "permission-denied", "invalid"]);
