import type { Dispatcher } from "undici";

/** What came back. */
export interface RawReply {
  readonly status: number;
  readonly body: string;
  /** `X-Consul-Index`; 0 when there is none. */
  readonly index: number;
}

/**
 * One request and its answer, in the callbacks of undici's `dispatch`. Its `request()` does the same with a stream for
 * the body and a listener for the signal, which together cost as much as the rest of a small call.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #resolve: (reply: RawReply) => void;
  readonly #reject: (error: unknown) => void;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #givenUp: Error | undefined;
  #status = 0;
  #index = 0;

  /** `reject` also gets the error of {@link giveUp}. */
  constructor(resolve: (reply: RawReply) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Rejects now, and ends the connection if the request has left already. Of no effect after the answer. */
  giveUp(why: Error): void {
    this.#givenUp = why;
    this.#controller?.abort(why);
    this.#reject(why);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It was given up while it waited for a connection: undici does not send it then.
    if (this.#givenUp !== undefined) controller.abort(this.#givenUp);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    this.#status = status;
    this.#index = Number(headers["x-consul-index"] ?? 0);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const [first] = this.#chunks;
    const body = this.#chunks.length === 1 ? first! : Buffer.concat(this.#chunks);
    this.#resolve({ status: this.#status, body: body.toString("utf8"), index: this.#index });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }
}
