import { isStoreError, type Outcome, StoreError, type StoreErrorCode } from "../core/errors.js";
import { Etcd2Error } from "./client/errors.js";
import { errorCodes } from "./client/messages.js";

/** Any error of the client as the store's. `write` says that it needs an outcome. */
export function storeError(error: unknown, write: boolean): StoreError {
  if (isStoreError(error)) return error;
  if (!(error instanceof Etcd2Error)) {
    const reason = error instanceof Error ? error.message : String(error);
    const outcome: Outcome | undefined = write ? "unknown" : undefined;
    return new StoreError("BACKEND", reason, { backend: "etcd2", outcome, cause: error });
  }
  const outcome: Outcome | undefined = write ? error.outcome : undefined;
  const details = { backend: "etcd2", endpoint: error.endpoint, outcome, cause: error };
  return new StoreError(codeOf(error), sentenceOf(error), details);
}

/** The error of a read on the way to a write: nothing was written. */
export function notApplied(error: unknown): StoreError {
  const { code, reason, backend, endpoint, key, cause } = storeError(error, false);
  return new StoreError(code, reason, { backend, endpoint, key, cause, outcome: "not-applied" });
}

/** The error of a write of several requests, some of which have been carried out. */
export function inTheMiddle(error: unknown): StoreError {
  const { code, reason, backend, endpoint, key, cause } = storeError(error, false);
  return new StoreError(code, reason, { backend, endpoint, key, cause, outcome: "unknown" });
}

function codeOf({ reason, errorCode, outcome }: Etcd2Error): StoreErrorCode {
  switch (reason) {
    case "unreachable":
    case "disconnected":
      return "UNREACHABLE";
    case "timeout":
      return "TIMEOUT";
    case "aborted":
      return "ABORTED";
    case "closed":
      return "CLOSED";
    case "no-v2":
      return "NOT_SUPPORTED";
    case "no-credentials":
      return "UNAUTHENTICATED";
    default:
      return codeOfAnswer(errorCode, outcome);
  }
}

function codeOfAnswer(errorCode: number | undefined, outcome: Outcome): StoreErrorCode {
  switch (errorCode) {
    case errorCodes.unauthorized:
      return "PERMISSION_DENIED";
    // A member without its leader or on its way down: others may answer, or this one later.
    case errorCodes.raftInternal:
    case errorCodes.leaderElection:
      return "UNREACHABLE";
    case undefined:
      return outcome === "unknown" ? "UNREACHABLE" : "BACKEND";
    default:
      return "BACKEND";
  }
}

function sentenceOf({ reason, errorCode, message }: Etcd2Error): string {
  if (reason === "no-v2") return `${message}; start it with --enable-v2, or use the version 3 API with "etcd:"`;
  if (reason === "no-credentials") return "the server wants a user and a password for this";
  // The server says the same of a wrong password ("Insufficient credentials").
  if (errorCode === errorCodes.unauthorized) return "the user may not do this, or the password is wrong";
  return message;
}

export const belowKey = "one of the directories it would lie in is a key";
export const hasKeysBelow = "there are keys below this one";

/** A key that has keys below it, or a key below another key. */
export function besideAnother(key: string, why: string): StoreError {
  const reason = `${why}; on etcd v2 a key is not also a directory`;
  return new StoreError("NOT_SUPPORTED", reason, { backend: "etcd2", key, outcome: "not-applied" });
}

export function keyExists(key: string): StoreError {
  return new StoreError("KEY_EXISTS", "the key exists", { backend: "etcd2", key, outcome: "not-applied" });
}

export function keyModified(key: string): StoreError {
  const reason = "the key was changed or deleted since it was read";
  return new StoreError("KEY_MODIFIED", reason, { backend: "etcd2", key, outcome: "not-applied" });
}
