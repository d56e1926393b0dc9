import { isStoreError, StoreError, type StoreErrorCode } from "../core/errors.js";
import {
  AbortedError,
  AuthFailedError,
  BadArgumentsError,
  BusyError,
  ClosedError,
  ConnectionLossError,
  InvalidAclError,
  MultiError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NotReadOnlyError,
  OperationTimeoutError,
  RequestTimeoutError,
  RequestTooLargeError,
  SessionClosedRequireSaslAuthError,
  SessionExpiredError,
  SessionMovedError,
  ThrottledOpError,
  UnimplementedError,
  ZooKeeperError,
} from "./client/index.js";

/** What the client's errors mean to a caller of the store; those not named are `BACKEND`. */
const codes = new Map<unknown, StoreErrorCode>([
  [ConnectionLossError, "UNREACHABLE"],
  [SessionExpiredError, "UNREACHABLE"],
  [SessionMovedError, "UNREACHABLE"],
  // The server is cut off from its ensemble.
  [NotReadOnlyError, "UNREACHABLE"],
  [OperationTimeoutError, "TIMEOUT"],
  [RequestTimeoutError, "TIMEOUT"],
  [ThrottledOpError, "BUSY"],
  [BusyError, "BUSY"],
  [ClosedError, "CLOSED"],
  [AbortedError, "ABORTED"],
  [RequestTooLargeError, "VALUE_TOO_LARGE"],
  [NoAuthError, "PERMISSION_DENIED"],
  [AuthFailedError, "UNAUTHENTICATED"],
  [SessionClosedRequireSaslAuthError, "UNAUTHENTICATED"],
  [InvalidAclError, "INVALID_ARGUMENT"],
  [BadArgumentsError, "INVALID_ARGUMENT"],
  [UnimplementedError, "NOT_SUPPORTED"],
  [NoChildrenForEphemeralsError, "NOT_SUPPORTED"],
]);

/** Any error of the client as the store's. `write` says that it needs an outcome. */
export function storeError(error: unknown, endpoint: string, write: boolean): StoreError {
  if (isStoreError(error)) return error.with({ backend: "zookeeper", endpoint });
  if (!(error instanceof ZooKeeperError)) {
    const reason = error instanceof Error ? error.message : String(error);
    const outcome = write ? "unknown" : undefined;
    return new StoreError("BACKEND", reason, { backend: "zookeeper", endpoint, outcome, cause: error });
  }
  const own = error instanceof MultiError ? error.failure : error;
  return new StoreError(codeOf(own), reasonOf(own), {
    backend: "zookeeper",
    endpoint,
    outcome: write ? error.outcome : undefined,
    cause: error,
  });
}

/** The error of something that left the keys as they were, in a call that writes. */
export function beforeWriting(error: unknown, endpoint: string): StoreError {
  return storeError(error, endpoint, false).with({ outcome: "not-applied" });
}

/** The error of something that failed when the call had done a part: it must not pass for one that did nothing. */
export function halfDone(error: unknown, endpoint: string, what: string): StoreError {
  const { code, reason, backend } = storeError(error, endpoint, true);
  return new StoreError(code, `${reason}, ${what}`, { backend, endpoint, outcome: "unknown", cause: error });
}

/** Whether the request may be answered when it is asked again: the connection or session was lost, or nothing came. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ZooKeeperError) && !isStoreError(error)) return false;
  const { code } = storeError(error, "", false);
  return code === "UNREACHABLE" || code === "TIMEOUT" || code === "BUSY";
}

function codeOf(error: ZooKeeperError): StoreErrorCode {
  if (error instanceof OperationTimeoutError && !error.sent) return "UNREACHABLE";
  return codes.get(error.constructor) ?? "BACKEND";
}

function reasonOf(error: ZooKeeperError): string {
  if (error instanceof NoChildrenForEphemeralsError) {
    return "ZooKeeper keeps nothing below a key that has a ttl or is a held lock";
  }
  return error.message;
}
