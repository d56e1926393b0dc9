import type { AbortLinks } from "./abort-links.js";
import { OperationTimeoutError } from "./error-codes.js";
import { AbortedError, type ErrorContext, type Outcome } from "./errors.js";
import type { Operation } from "./operations.js";

/** What every call takes. */
export interface RequestOptions {
  /** How long to wait for the answer, the wait for a connection included, in milliseconds. Default: the client's. */
  readonly timeoutMs?: number | undefined;
  /**
   * Ends the wait. Reads, and writes not yet sent, reject with the signal's reason; a write that may have reached the
   * server rejects with an `AbortedError` whose outcome is unknown.
   */
  readonly signal?: AbortSignal | undefined;
}

/** A request on its way: waiting for a connection, then for its answer. Requests form queues by their `next`. */
export class Request<Result = unknown> {
  readonly promise: Promise<Result>;
  /** As given by the caller, or what it falls back to on an older server. */
  operation: Operation<unknown, Result>;
  args: unknown;
  /** The node as the caller named it, for errors. */
  readonly path: string | undefined;
  /** When to give up, by the clock. */
  readonly deadline: number;
  next: Request | undefined;
  xid = 0;
  /** When it was written, by the clock; undefined while it surely has not left the process. */
  sentAt: number | undefined;
  settled = false;
  /** Called with the error code of the answer before the promise settles: what must precede the next frame. */
  onAnswer: ((code: number) => void) | undefined;
  // `never`, so that a request with any result fits where the result does not matter.
  #resolve!: (result: never) => void;
  #reject!: (reason: unknown) => void;
  #signal: AbortSignal | undefined;
  #links: AbortLinks | undefined;

  constructor(operation: Operation<unknown, Result>, args: unknown, path: string | undefined, deadline: number) {
    this.operation = operation;
    this.args = args;
    this.path = path;
    this.deadline = deadline;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Lets a signal end the request. */
  linkAbort(signal: AbortSignal, links: AbortLinks): void {
    this.#signal = signal;
    this.#links = links;
    links.add(signal, this);
  }

  succeed(result: Result): void {
    if (this.settled) return;
    this.settled = true;
    this.#resolve(result as never);
    this.#unlink();
  }

  fail(reason: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#reject(reason);
    this.#unlink();
  }

  /** Ends it because its deadline passed; `cause` is why there was no connection, if that is known. */
  timeOut(cause: Error | undefined): void {
    if (this.sentAt !== undefined) return this.fail(new OperationTimeoutError(undefined, this.context()));
    const why = cause === undefined ? "" : ` (${cause.message})`;
    const message = `not sent, there was no connection within the deadline${why}`;
    this.fail(new OperationTimeoutError(message, { ...this.context(), cause, sent: false }));
  }

  /** Ends it because its caller's signal fired. */
  abort(): void {
    const reason: unknown = this.#signal?.reason;
    this.fail(this.outcome === "unknown" ? new AbortedError({ ...this.context(), cause: reason }) : reason);
  }

  /** What can be said of it while it has no answer. */
  get outcome(): Outcome {
    return this.operation.isWrite && this.sentAt !== undefined ? "unknown" : "not-applied";
  }

  context(): ErrorContext {
    return { operation: this.operation.name, path: this.path, outcome: this.outcome };
  }

  #unlink(): void {
    if (this.#signal !== undefined) this.#links?.remove(this.#signal, this);
  }
}

/** Requests in order. */
export class RequestQueue {
  head: Request | undefined;
  #tail: Request | undefined;
  size = 0;

  push(request: Request): void {
    if (this.#tail === undefined) this.head = request;
    else this.#tail.next = request;
    this.#tail = request;
    this.size++;
  }

  shift(): Request | undefined {
    const request = this.head;
    if (request === undefined) return undefined;
    this.head = request.next;
    if (this.head === undefined) this.#tail = undefined;
    request.next = undefined;
    this.size--;
    return request;
  }

  /** Takes all out, in order. */
  drain(): Request[] {
    const requests: Request[] = [];
    for (let request = this.shift(); request !== undefined; request = this.shift()) requests.push(request);
    return requests;
  }
}
