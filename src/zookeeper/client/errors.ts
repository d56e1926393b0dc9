/** Whether a request that failed may have been carried out: `unknown` only for writes that may have reached a server. */
export type Outcome = "not-applied" | "unknown";

/** Where an error happened. */
export interface ErrorContext {
  /** The client's call, for example `setData`. */
  readonly operation?: string | undefined;
  /** The node as the caller named it, without the chroot. */
  readonly path?: string | undefined;
  /** Default `not-applied`. */
  readonly outcome?: Outcome | undefined;
  readonly cause?: unknown;
}

/** Every error of this client. `code` is ZooKeeper's number where the protocol has one (`KeeperException.Code`). */
export class ZooKeeperError extends Error {
  override readonly name: string = "ZooKeeperError";
  readonly code: number;
  readonly operation: string | undefined;
  readonly path: string | undefined;
  readonly outcome: Outcome;

  constructor(code: number, message: string, context: ErrorContext = {}) {
    const where = context.operation === undefined ? "" : `${context.operation} ${context.path ?? ""}`.trim();
    super(where === "" ? message : `${where}: ${message}`, context.cause === undefined ? {} : { cause: context.cause });
    this.code = code;
    this.operation = context.operation;
    this.path = context.path;
    this.outcome = context.outcome ?? "not-applied";
  }
}

/** The client was closed. */
export class ClosedError extends ZooKeeperError {
  override readonly name = "ClosedError";
  constructor(context?: ErrorContext) {
    super(0, "the client is closed", context);
  }
}

/** More requests are waiting than `maxPending` allows. */
export class BusyError extends ZooKeeperError {
  override readonly name = "BusyError";
  constructor(pending: number, context?: ErrorContext) {
    super(0, `${pending} requests are waiting already (maxPending)`, context);
  }
}

/** The request is larger than `maxRequestBytes`; servers close the connection on more than their `jute.maxbuffer`. */
export class RequestTooLargeError extends ZooKeeperError {
  override readonly name = "RequestTooLargeError";
  constructor(bytes: number, limit: number, context?: ErrorContext) {
    super(0, `the request is ${bytes} bytes long, over the limit of ${limit} (jute.maxbuffer of the servers)`, context);
  }
}

/** The caller aborted a write that may have reached the server already; `cause` is the signal's reason. */
export class AbortedError extends ZooKeeperError {
  override readonly name = "AbortedError";
  constructor(context?: ErrorContext) {
    super(0, "aborted after it was sent", context);
  }
}

/** A multi that the server refused as a whole: `failure` is the error of the operation at `index` that was to blame. */
export class MultiError extends ZooKeeperError {
  override readonly name = "MultiError";
  readonly index: number;
  readonly failure: ZooKeeperError;
  constructor(index: number, failure: ZooKeeperError) {
    super(failure.code, `operation ${index} failed: ${failure.message}`, { operation: "multi", cause: failure });
    this.index = index;
    this.failure = failure;
  }
}
