import { GrpcStatus, statusName } from "./status-codes.js";

/** What a failed call came to, for programs to decide on. */
export type EtcdErrorReason =
  /** No connection to any endpoint; the request never left this process. */
  | "unreachable"
  /** The connection broke, or fell silent, while the call was under way. */
  | "disconnected"
  /** No answer in time, or the server gave up waiting for its cluster. */
  | "timeout"
  | "aborted"
  | "closed"
  /** The member sees no leader: another one may. */
  | "no-leader"
  /** The member cannot serve just now (stopping, leader changing). */
  | "unavailable"
  /** The server sheds load. */
  | "overloaded"
  /** The backend quota is used up. */
  | "no-space"
  /** The request is larger than the server takes. */
  | "too-large"
  | "unauthenticated"
  | "permission-denied"
  | "lease-not-found"
  /** The revision asked for is gone. */
  | "compacted"
  /** The server found fault with the request. */
  | "invalid"
  /** The server has no such call. */
  | "unimplemented"
  /** Anything else: see `message`. */
  | "other";

/** For a write: whether it surely did not change the store, or might have. */
export type EtcdOutcome = "not-applied" | "unknown";

export interface EtcdErrorDetails {
  reason: EtcdErrorReason;
  /** Name of the gRPC status, such as `UNAVAILABLE`. */
  status: string;
  /** Text of the server, or of the transport when no answer came. */
  etcdMessage: string;
  endpoint?: string | undefined;
  outcome: EtcdOutcome;
  cause?: unknown;
}

/** A call to etcd failed. */
export class EtcdError extends Error {
  override readonly name = "EtcdError";
  readonly reason: EtcdErrorReason;
  readonly status: string;
  readonly etcdMessage: string;
  readonly endpoint: string | undefined;
  readonly outcome: EtcdOutcome;

  constructor(details: EtcdErrorDetails) {
    const place = details.endpoint === undefined ? "etcd" : `etcd at ${details.endpoint}`;
    super(`${place}: ${details.etcdMessage}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = details.reason;
    this.status = details.status;
    this.etcdMessage = details.etcdMessage;
    this.endpoint = details.endpoint;
    this.outcome = details.outcome;
  }
}

interface Verdict {
  reason: EtcdErrorReason;
  outcome: EtcdOutcome;
}

const refused = (reason: EtcdErrorReason): Verdict => ({ reason, outcome: "not-applied" });
const uncertain = (reason: EtcdErrorReason): Verdict => ({ reason, outcome: "unknown" });

/**
 * Verdicts by text, because one gRPC status covers both kinds. The first entry contained in the message decides. Texts
 * of etcd are from api/v3rpc/rpctypes/error.go, where they are raised from server/etcdserver (3.4 and 3.5).
 */
const verdictsByText: readonly (readonly [text: string, verdict: Verdict])[] = [
  // Raised by the interceptor that reads `hasleader`, before the handler runs.
  ["etcdserver: no leader", refused("no-leader")],
  // Raised on the way to a linearizable read only, so a write cannot meet it today; if one did, nobody could say.
  ["etcdserver: leader changed", uncertain("unavailable")],
  // The proposal was handed to raft and not seen applied in time; it may still be. The same holds for the longer texts
  // "... possibly due to previous leader failure" and "... possibly due to connection lost".
  ["etcdserver: request timed out", uncertain("timeout")],
  // Raised also while waiting for a proposal already made.
  ["etcdserver: server stopped", uncertain("unavailable")],
  // Checked before proposing: applying lags more than 5,000 entries behind committing.
  ["etcdserver: too many requests", refused("overloaded")],
  // Checked before proposing, and by every member alike when applying under the NOSPACE alarm.
  ["etcdserver: mvcc: database space exceeded", refused("no-space")],
  ["etcdserver: request is too large", refused("too-large")],
  // gRPC on the server: the request exceeded its receive limit, the handler never ran.
  ["grpc: received message larger than max", refused("too-large")],
  // gRPC on the server: the handler ran, its answer was too large to send.
  ["trying to send message larger than max", uncertain("other")],
  // Under the CORRUPT alarm every member refuses when applying.
  ["etcdserver: corrupt cluster", refused("unavailable")],
  // A member that has not joined yet serves only a few calls, and says so before the handler runs.
  ["rpc not supported for learner", refused("unavailable")],
  ["etcdserver: not capable", refused("unavailable")],
  // raft took nothing in: it is handing leadership over, or this member was removed.
  ["raft proposal dropped", refused("unavailable")],
  ["etcdserver: invalid auth token", refused("unauthenticated")],
  // No token was sent and the server has authentication on.
  ["etcdserver: user name is empty", refused("unauthenticated")],
  // Users or roles changed between the check of the token and the request's turn: every member refuses when applying.
  ["etcdserver: revision of auth store is old", refused("unauthenticated")],
  ["etcdserver: authentication failed", refused("unauthenticated")],
  ["etcdserver: permission denied", refused("permission-denied")],
  // Checked before any operation of the transaction runs.
  ["etcdserver: requested lease not found", refused("lease-not-found")],
  ["etcdserver: mvcc: required revision has been compacted", refused("compacted")],
  // A deadline that the server noticed before the client did.
  ["context deadline exceeded", uncertain("timeout")],
  // Said here (connection.ts), in the words of grpc-js, before a request has a stream of its own on a connection.
  ["No connection established", refused("unreachable")],
  ["Name resolution failed", refused("unreachable")],
  ["Failed to start HTTP/2 stream", refused("unreachable")],
  // RST_STREAM with REFUSED_STREAM: the server promises not to have looked at it (RFC 9113, section 8.7).
  ["Stream refused by server", refused("unreachable")],
  // A proxy keeps to its receive limit: the answer exists, so the request was carried out.
  ["Received message larger than max", uncertain("too-large")],
];

/** Verdicts by gRPC status for texts not in the list above. */
const verdictsByStatus: Readonly<Record<number, Verdict>> = {
  // Validation, checked before a request changes anything.
  [GrpcStatus.INVALID_ARGUMENT]: refused("invalid"),
  [GrpcStatus.OUT_OF_RANGE]: refused("invalid"),
  [GrpcStatus.FAILED_PRECONDITION]: refused("invalid"),
  [GrpcStatus.NOT_FOUND]: refused("invalid"),
  [GrpcStatus.ALREADY_EXISTS]: refused("invalid"),
  [GrpcStatus.PERMISSION_DENIED]: refused("permission-denied"),
  [GrpcStatus.UNAUTHENTICATED]: refused("unauthenticated"),
  [GrpcStatus.UNIMPLEMENTED]: refused("unimplemented"),
  // No answer: whether the request was carried out cannot be told.
  [GrpcStatus.DEADLINE_EXCEEDED]: uncertain("timeout"),
  [GrpcStatus.UNAVAILABLE]: uncertain("disconnected"),
  // RST_STREAM with CANCEL, which Node also makes up when a connection drops.
  [GrpcStatus.CANCELLED]: uncertain("disconnected"),
};

/** The one place where a gRPC status becomes an {@link EtcdError}. */
export function errorFromStatus(code: number, text: string, endpoint: string, cause?: unknown): EtcdError {
  const verdict =
    verdictsByText.find(([part]) => text.includes(part))?.[1] ?? verdictsByStatus[code] ?? uncertain("other");
  return new EtcdError({ ...verdict, status: statusName(code), etcdMessage: text, endpoint, cause });
}

/** No connection was made before the caller's time was up: nothing was sent. */
export function unreachableError(endpoints: string, cause: unknown): EtcdError {
  const why = cause instanceof EtcdError ? `: ${cause.etcdMessage}` : "";
  return new EtcdError({
    reason: "unreachable",
    status: "UNAVAILABLE",
    etcdMessage: `no connection in time${why}`,
    endpoint: endpoints,
    outcome: "not-applied",
    cause,
  });
}

/** The client was closed; `outcome` tells whether the call had been sent. */
export function closedError(outcome: EtcdOutcome, endpoint?: string): EtcdError {
  return new EtcdError({
    reason: "closed",
    status: "CANCELLED",
    etcdMessage: "the client is closed",
    endpoint,
    outcome,
  });
}

/** The caller's signal fired. `cause` is the signal's reason. */
export function abortedError(signal: AbortSignal, outcome: EtcdOutcome, endpoint?: string): EtcdError {
  return new EtcdError({
    reason: "aborted",
    status: "CANCELLED",
    etcdMessage: "aborted by the caller",
    endpoint,
    outcome,
    cause: signal.reason,
  });
}

/** Whether another try, perhaps on another endpoint, may well succeed. Says nothing about whether it is safe. */
export function isPassing(error: EtcdError): boolean {
  return passing.has(error.reason);
}

const passing: ReadonlySet<EtcdErrorReason> = new Set([
  "unreachable",
  "disconnected",
  "timeout",
  "no-leader",
  "unavailable",
  "overloaded",
]);
