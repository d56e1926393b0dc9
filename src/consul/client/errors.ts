import { transportFailure } from "../../util/transport-failure.js";
/** What went wrong with a request, as a closed list to switch on. */
export type ConsulErrorReason =
  /** No connection to any address; the request was not sent. */
  | "unreachable"
  /** The connection broke after the request may have been sent. */
  | "disconnected"
  | "timeout"
  | "aborted"
  | "closed"
  /** The agent answered with this status. */
  | "status";

export interface ConsulErrorDetails {
  readonly endpoint: string;
  /** Whether a write may have happened. */
  readonly outcome: "not-applied" | "unknown";
  readonly status?: number | undefined;
  /** The agent's own words. */
  readonly body?: string | undefined;
  readonly cause?: unknown;
}

/** Why a request to an agent failed. */
export class ConsulError extends Error {
  override readonly name = "ConsulError";
  readonly reason: ConsulErrorReason;
  readonly endpoint: string;
  readonly outcome: "not-applied" | "unknown";
  readonly status: number | undefined;
  readonly body: string | undefined;

  constructor(reason: ConsulErrorReason, message: string, details: ConsulErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.endpoint = details.endpoint;
    this.outcome = details.outcome;
    this.status = details.status;
    this.body = details.body;
  }
}

/**
 * Answers that prove that nothing was written: refused by the HTTP layer or before raft. "leadership lost while
 * committing log" (500) is not among them.
 */
const refusals: readonly RegExp[] = [
  /No cluster leader|No known Consul servers/i,
  // The agent has no connection to a server to send it on.
  /failed to get conn/i,
  /Request body.*too large|exceed.*limit/i,
  /ACL not found|Permission denied/i,
  /Invalid|missing|must be|Failed to parse|Bad request/i,
];

/** An answer other than success. */
export function statusError(status: number, body: string, endpoint: string): ConsulError {
  const text = body.trim().slice(0, 500);
  const refused = (status >= 400 && status < 500) || refusals.some((pattern) => pattern.test(text));
  const outcome = refused ? "not-applied" : "unknown";
  return new ConsulError("status", `the agent answered ${status}: ${text}`, { endpoint, outcome, status, body: text });
}

/** What was thrown below the HTTP layer. */
export function transportError(thrown: unknown, endpoint: string): ConsulError {
  const { reason, message, outcome } = transportFailure(thrown);
  return new ConsulError(reason, message, { endpoint, outcome, cause: thrown });
}
