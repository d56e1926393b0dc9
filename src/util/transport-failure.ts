/** Errors of undici and of the system that come before a byte of a request was sent. */
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

/** What a failure below HTTP means for the request: nothing of it was sent, or nobody knows. */
export interface TransportFailure {
  readonly reason: "unreachable" | "disconnected";
  readonly message: string;
  readonly outcome: "not-applied" | "unknown";
}

/** Explains what undici or a socket threw. */
export function transportFailure(thrown: unknown): TransportFailure {
  const code = codeOf(thrown);
  const message = thrown instanceof Error ? thrown.message || code : String(thrown);
  return beforeSending.has(code)
    ? { reason: "unreachable", message: `cannot connect: ${message}`, outcome: "not-applied" }
    : { reason: "disconnected", message: `the connection broke: ${message}`, outcome: "unknown" };
}

/** A happy-eyeballs connect fails with one error for each address it tried. */
function codeOf(thrown: unknown): string {
  const { code, errors } = thrown as { code?: unknown; errors?: unknown[] };
  if (typeof code === "string") return code;
  return Array.isArray(errors) && errors.length > 0 ? codeOf(errors[0]) : "";
}
