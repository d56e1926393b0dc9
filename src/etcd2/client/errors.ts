import { transportFailure } from "../../util/transport-failure.js";
import { errorCodes } from "./messages.js";

/** What went wrong with a request, as a closed list to switch on. */
export type Etcd2ErrorReason =
  /** No connection; the request was not sent. */
  | "unreachable"
  /** The connection broke after the request may have been sent. */
  | "disconnected"
  | "timeout"
  | "aborted"
  | "closed"
  /** The server answered with an error, of the v2 API if `errorCode` is there. */
  | "answer"
  /** It does not serve the v2 API. */
  | "no-v2"
  /** It wants to know who asks. */
  | "no-credentials";

export interface Etcd2ErrorDetails {
  readonly endpoint: string;
  /** Whether a write may have happened. */
  readonly outcome: "not-applied" | "unknown";
  /** The code of the v2 API, where the server answered with one. */
  readonly errorCode?: number | undefined;
  /** The index of the server's store when it answered. */
  readonly index?: number | undefined;
  readonly cause?: unknown;
}

/** Why a request to an etcd failed. */
export class Etcd2Error extends Error {
  override readonly name = "Etcd2Error";
  readonly reason: Etcd2ErrorReason;
  readonly endpoint: string;
  readonly outcome: "not-applied" | "unknown";
  readonly errorCode: number | undefined;
  readonly index: number | undefined;

  constructor(reason: Etcd2ErrorReason, message: string, details: Etcd2ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.endpoint = details.endpoint;
    this.outcome = details.outcome;
    this.errorCode = details.errorCode;
    this.index = details.index;
  }
}

/** Whether the server answered with one of these codes. */
export function hasCode(error: unknown, ...names: (keyof typeof errorCodes)[]): error is Etcd2Error {
  return error instanceof Etcd2Error && names.some((name) => error.errorCode === errorCodes[name]);
}

/** An answer other than success. `anonymous`: the request named no user. */
export function answerError(status: number, body: string, endpoint: string, anonymous: boolean): Etcd2Error {
  const answer = parse(body);
  if (answer === undefined) {
    const text = body.trim().slice(0, 200);
    const notServed = status === 404;
    const message = notServed ? "the server does not serve the v2 API" : `the server answered ${status}: ${text}`;
    // What stands between us and the server may have lost its answer.
    const outcome = status >= 500 ? "unknown" : "not-applied";
    return new Etcd2Error(notServed ? "no-v2" : "answer", message, { endpoint, outcome });
  }
  const { errorCode, message, cause, index } = answer;
  const reason = errorCode === errorCodes.unauthorized && anonymous ? "no-credentials" : "answer";
  const about = cause === undefined || cause === "" ? "" : ` (${cause})`;
  return new Etcd2Error(reason, `the server answered ${errorCode}: ${message}${about}`, {
    endpoint,
    // 300 is whatever went wrong in raft, a proposal that came to no end in time among it.
    outcome: errorCode === errorCodes.raftInternal ? "unknown" : "not-applied",
    errorCode,
    index,
  });
}

/** The body of an error of the v2 API; `undefined` for what another program answers. */
function parse(body: string): { errorCode: number; message: string; cause?: string; index?: number } | undefined {
  try {
    const answer = JSON.parse(body) as { errorCode?: unknown };
    return typeof answer.errorCode === "number" ? (answer as ReturnType<typeof parse>) : undefined;
  } catch {
    return undefined;
  }
}

/** What was thrown below HTTP, by undici or by a socket. */
export function transportError(thrown: unknown, endpoint: string): Etcd2Error {
  const { reason, message, outcome } = transportFailure(thrown);
  return new Etcd2Error(reason, message, { endpoint, outcome, cause: thrown });
}
