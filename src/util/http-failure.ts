/** Why a request got no answer. */
export type HttpFailureReason =
  /** No connection; the request was not sent. */
  | "unreachable"
  /** The connection broke after the request may have been sent. */
  | "disconnected"
  | "timeout"
  | "aborted"
  | "closed";

/** A request that got no answer. */
export class HttpFailure extends Error {
  override readonly name = "HttpFailure";
  readonly reason: HttpFailureReason;
  readonly endpoint: string;
  /** Whether the server may have carried it out. */
  readonly outcome: "not-applied" | "unknown";

  constructor(
    reason: HttpFailureReason,
    message: string,
    endpoint: string,
    outcome: "not-applied" | "unknown",
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
    this.endpoint = endpoint;
    this.outcome = outcome;
  }
}

/** Errors of undici and of the system that come before a byte of the request was sent. */
const beforeSending: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "EACCES",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);

/** What was thrown below HTTP, by undici or by a socket. */
export function transportFailure(thrown: unknown, endpoint: string): HttpFailure {
  const code = codeOf(thrown);
  const message = thrown instanceof Error ? thrown.message || code : String(thrown);
  if (beforeSending.has(code)) {
    return new HttpFailure("unreachable", `cannot connect: ${message}`, endpoint, "not-applied", thrown);
  }
  return new HttpFailure("disconnected", `the connection broke: ${message}`, endpoint, "unknown", thrown);
}

/** A happy-eyeballs connect fails with one error for each address it tried. */
function codeOf(thrown: unknown): string {
  const { code, errors } = thrown as { code?: unknown; errors?: unknown[] };
  if (typeof code === "string") return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : "";
}
