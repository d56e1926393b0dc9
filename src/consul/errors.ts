import { isStoreError, type Outcome, StoreError, type StoreErrorCode } from "../core/errors.js";
import { ConsulError } from "./client/errors.js";

/** Any error of the client as the store's. `write` says that it needs an outcome. */
export function storeError(error: unknown, write: boolean): StoreError {
  if (isStoreError(error)) return error;
  if (!(error instanceof ConsulError)) {
    return new StoreError("BACKEND", error instanceof Error ? error.message : String(error), {
      backend: "consul",
      cause: error,
    });
  }
  const outcome: Outcome | undefined = write ? error.outcome : undefined;
  const details = { backend: "consul", endpoint: error.endpoint, outcome, cause: error };
  return new StoreError(codeOf(error), error.message, details);
}

/**
 * Why the servers refused an operation of a transaction before they looked at the data (HTTP API, "Transactions":
 * access control answers operation by operation); `undefined` when it was the data.
 */
export function refusal(what: string, key: string): StoreError | undefined {
  if (/ACL not found/i.test(what)) {
    return new StoreError("UNAUTHENTICATED", what, { backend: "consul", key, outcome: "not-applied" });
  }
  return /Permission denied/i.test(what) ? denied(key, "not-applied") : undefined;
}

/** The token may not touch this key. */
export function denied(key: string, outcome: Outcome | undefined): StoreError {
  return new StoreError("PERMISSION_DENIED", "the ACL token may not do this", { backend: "consul", key, outcome });
}

function codeOf({ reason, status, body = "" }: ConsulError): StoreErrorCode {
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
    default:
      return codeOfStatus(status ?? 0, body);
  }
}

/** In the words of agents whose servers or whose leader are gone, or that lost the connection to them. */
const noServer =
  /No cluster leader|No known Consul servers|leadership|not ready|failed to get conn|stream closed|session shutdown|EOF|connection (refused|reset)|broken pipe|i\/o timeout|raft is already shutdown/i;

/** Consul 1.8 answers 403 both for a token it does not know and for one that may not. */
function codeOfStatus(status: number, body: string): StoreErrorCode {
  if (status === 401 || /ACL not found/i.test(body)) return "UNAUTHENTICATED";
  if (status === 403 || /Permission denied/i.test(body)) return "PERMISSION_DENIED";
  if (status === 413 || /too large/i.test(body)) return "VALUE_TOO_LARGE";
  if (status === 429) return "BUSY";
  // A server without a leader, one that is starting, an agent that lost its server: others may answer, or this one later.
  if (status >= 502 || noServer.test(body)) return "UNREACHABLE";
  return "BACKEND";
}
