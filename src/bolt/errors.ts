import { isStoreError, type Outcome, StoreError, type StoreErrorCode } from "../core/errors.js";
import { EngineError, type EngineErrorCode } from "./engine/errors.js";

/** What each of the engine's codes means to a caller of the store; the rest are `BACKEND`. */
const codes: Partial<Record<EngineErrorCode, StoreErrorCode>> = {
  CORRUPT: "CORRUPT",
  FILE_LOCKED: "FILE_LOCKED",
  // The store was opened read-only: no write can ever succeed on it.
  READ_ONLY: "NOT_SUPPORTED",
  CLOSED: "CLOSED",
  // A key of the bucket is a nested bucket of another program.
  INCOMPATIBLE: "NOT_SUPPORTED",
  INVALID_ARGUMENT: "INVALID_ARGUMENT",
};

/** Any error of the engine as the store's. `write` says that it needs an outcome. */
export function storeError(error: unknown, endpoint: string, write: boolean): StoreError {
  const outcome: Outcome | undefined = write ? outcomeOf(error) : undefined;
  const place = { backend: "bolt", endpoint, outcome };
  if (isStoreError(error)) return error.with(place);
  if (error instanceof EngineError) {
    return new StoreError(codes[error.code] ?? "BACKEND", error.message, { ...place, cause: error });
  }
  return new StoreError("BACKEND", error instanceof Error ? error.message : String(error), { ...place, cause: error });
}

/** Whatever fails before the commit is rolled back, and leaves the file as it was. */
function outcomeOf(error: unknown): Outcome {
  return error instanceof EngineError ? (error.outcome ?? "not-applied") : "not-applied";
}
