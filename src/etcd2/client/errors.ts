import type { HttpFailure, HttpFailureReason } from "../../util/http-failure.js";
import { errorCodes } from "./messages.js";

export interface Etcd2ErrorDetails {
  readonly endpoint: string;
  /** Whether a write may have happened. */
  readonly outcome: "not-applied" | "unknown";
  /** The code of the v2 API, where the server answered with one. */
  readonly errorCode?: number | undefined;
  /** What the error is about: mostly the path. */
  readonly errorCause?: string | undefined;
  /** The index of the server's store when it answered. */
  readonly index?: number | undefined;
  readonly cause?: unknown;
}

/** Why a request to an etcd failed. */
export class Etcd2Error extends Error {
  override readonly name = "Etcd2Error";
  /**
   * `answer`: the server answered with an error of the v2 API. `no-v2`: it does not serve that API. `no-credentials`: it
   * wants to know who asks.
   */
  readonly reason: HttpFailureReason | "answer" | "no-v2" | "no-credentials";
  readonly endpoint: string;
  readonly outcome: "not-applied" | "unknown";
  readonly errorCode: number | undefined;
  readonly errorCause: string | undefined;
  readonly index: number | undefined;

  constructor(reason: Etcd2Error["reason"], message: string, details: Etcd2ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.endpoint = details.endpoint;
    this.outcome = details.outcome;
    this.errorCode = details.errorCode;
    this.errorCause = details.errorCause;
    this.index = details.index;
  }
}

/** Whether the server answered with this code. */
export function hasCode(error: unknown, ...names: (keyof typeof errorCodes)[]): error is Etcd2Error {
  return error instanceof Etcd2Error && names.some((name) => error.errorCode === errorCodes[name]);
}

export function withoutAnswer({ reason, message, endpoint, outcome, cause }: HttpFailure): Etcd2Error {
  return new Etcd2Error(reason, message, { endpoint, outcome, cause });
}

/** An answer other than success. Codes from 300 on come from raft or the watch hub, and 300 says nothing of the outcome. */
export function errorAnswer(status: number, body: string, endpoint: string): Etcd2Error {
  const answer = parse(body);
  if (answer === undefined) {
    const served = status === 404 ? "the server does not serve the v2 API" : `the server answered ${status}`;
    const text = body.trim().slice(0, 200);
    return new Etcd2Error(status === 404 ? "no-v2" : "answer", `${served}: ${text}`, {
      endpoint,
      outcome: status >= 500 ? "unknown" : "not-applied",
    });
  }
  const { errorCode, message, cause, index } = answer;
  return new Etcd2Error("answer", `the server answered ${errorCode}: ${message}${cause ? ` (${cause})` : ""}`, {
    endpoint,
    outcome: errorCode === errorCodes.raftInternal ? "unknown" : "not-applied",
    errorCode,
    errorCause: cause,
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
