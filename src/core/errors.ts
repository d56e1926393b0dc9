/** Every reason a call can fail for: a closed set, the same on every backend. docs/errors.md says what to do about each. */
export const storeErrorCodes = [
  "KEY_EXISTS",
  "KEY_MODIFIED",
  "INVALID_KEY",
  "INVALID_ARGUMENT",
  "VALUE_TOO_LARGE",
  "NOT_SUPPORTED",
  "UNREACHABLE",
  "TIMEOUT",
  "ABORTED",
  "BUSY",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "LOCK_LOST",
  "LOCK_HELD",
  "NOT_LOCKED",
  "CORRUPT",
  "FILE_LOCKED",
  "CLOSED",
  "BACKEND",
] as const;

export type StoreErrorCode = (typeof storeErrorCodes)[number];

/**
 * What became of a write that failed. `not-applied`: the store is as if the call had never been made. `unknown`: it may
 * have been applied, now or later; read before you write again.
 */
export type Outcome = "not-applied" | "unknown";

/** Codes that are themselves a proof that a write did nothing. */
const neverApplied: ReadonlySet<StoreErrorCode> = new Set([
  "KEY_EXISTS",
  "KEY_MODIFIED",
  "INVALID_KEY",
  "INVALID_ARGUMENT",
  "VALUE_TOO_LARGE",
  "NOT_SUPPORTED",
  "BUSY",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "LOCK_HELD",
  "NOT_LOCKED",
  "FILE_LOCKED",
]);

/** What is known of a write that failed with this code, when nobody said. */
export function outcomeOfCode(code: StoreErrorCode, otherwise: Outcome): Outcome {
  return neverApplied.has(code) ? "not-applied" : otherwise;
}

/** Where and why, beside the code and the sentence. */
export interface StoreErrorDetails {
  /** The backend's name, such as `bolt` or `etcd`. */
  backend?: string | undefined;
  /** The endpoint or the file, without credentials. */
  endpoint?: string | undefined;
  /** The key or directory the call was about. */
  key?: string | undefined;
  /** Only on writes. */
  outcome?: Outcome | undefined;
  cause?: unknown;
}

/** The one error class of the library. Its message names the backend, the endpoint or file, and the key. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly backend: string | undefined;
  readonly endpoint: string | undefined;
  readonly key: string | undefined;
  readonly outcome: Outcome | undefined;
  /** The sentence of the message alone, without the place. */
  readonly reason: string;

  constructor(code: StoreErrorCode, reason: string, details: StoreErrorDetails = {}) {
    super(describe(code, reason, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.backend = details.backend;
    this.endpoint = details.endpoint;
    this.key = details.key;
    this.outcome = details.outcome;
  }

  /** The same error with more said about it; what is said already stays. */
  with(details: StoreErrorDetails): StoreError {
    return new StoreError(this.code, this.reason, {
      backend: this.backend ?? details.backend,
      endpoint: this.endpoint ?? details.endpoint,
      key: this.key ?? details.key,
      outcome: this.outcome ?? details.outcome,
      cause: this.cause ?? details.cause,
    });
  }

  /** What a log line needs; never a value. */
  toJSON(): Record<string, unknown> {
    const { code, reason, backend, endpoint, key, outcome } = this;
    return { name: this.name, code, reason, backend, endpoint, key, outcome };
  }
}

function describe(code: StoreErrorCode, reason: string, details: StoreErrorDetails): string {
  const place: string[] = [];
  if (details.key !== undefined) place.push(`key ${JSON.stringify(details.key)}`);
  if (details.backend !== undefined) {
    place.push(details.endpoint === undefined ? details.backend : `${details.backend} at ${details.endpoint}`);
  }
  if (details.outcome === "unknown") place.push("it may have been applied");
  return place.length === 0 ? `${code}: ${reason}` : `${code}: ${reason} (${place.join(", ")})`;
}

/** Whether this is a `StoreError`, of this code where one is named. */
export function isStoreError(error: unknown, code?: StoreErrorCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code);
}

/** What a driver rejected with, as the store's error: anything else of it is of code `BACKEND`, with itself as the cause. */
export function asStoreError(error: unknown): StoreError {
  if (isStoreError(error)) return error;
  return new StoreError("BACKEND", error instanceof Error ? error.message : String(error), { cause: error });
}
