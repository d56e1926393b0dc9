import { isStoreError, StoreError, type StoreErrorCode } from "../core/errors.js";
import { EtcdError, type EtcdErrorReason, type EtcdOutcome } from "./client/index.js";

/** What each of the client's reasons means to a caller of the store. */
const codes: Readonly<Record<EtcdErrorReason, StoreErrorCode>> = {
  unreachable: "UNREACHABLE",
  disconnected: "UNREACHABLE",
  "no-leader": "UNREACHABLE",
  unavailable: "UNREACHABLE",
  timeout: "TIMEOUT",
  aborted: "ABORTED",
  closed: "CLOSED",
  overloaded: "BUSY",
  // The database is full: only its operator can help.
  "no-space": "BACKEND",
  "too-large": "VALUE_TOO_LARGE",
  unauthenticated: "UNAUTHENTICATED",
  "permission-denied": "PERMISSION_DENIED",
  "lease-not-found": "BACKEND",
  compacted: "BACKEND",
  invalid: "BACKEND",
  unimplemented: "NOT_SUPPORTED",
  other: "BACKEND",
};

/** Any error of the client as the store's. `write` says that it needs an outcome. */
export function storeError(error: unknown, endpoint: string, write: boolean): StoreError {
  if (isStoreError(error)) return error.with({ backend: "etcd", endpoint });
  if (error instanceof EtcdError) {
    return new StoreError(codes[error.reason], error.etcdMessage, {
      backend: "etcd",
      endpoint: error.reason === "unreachable" ? endpoint : (error.endpoint ?? endpoint),
      outcome: write ? error.outcome : undefined,
      cause: error,
    });
  }
  const outcome: EtcdOutcome | undefined = write ? "unknown" : undefined;
  const reason = error instanceof Error ? error.message : String(error);
  return new StoreError("BACKEND", reason, { backend: "etcd", endpoint, outcome, cause: error });
}
