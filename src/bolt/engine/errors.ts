/** What went wrong, as a closed list to switch on. */
export type EngineErrorCode =
  /** The file breaks the format: a checksum, a bound, an order. `pageId` and the message say where. */
  | "CORRUPT"
  /** Another process, or another handle of this one, held the file's lock until the timeout. */
  | "FILE_LOCKED"
  /** With `lock: "manual"`: used without the lock that it needs. */
  | "NOT_LOCKED"
  /** A write to a read-only database or transaction. */
  | "READ_ONLY"
  /** The database or the transaction is closed. */
  | "CLOSED"
  | "INVALID_ARGUMENT"
  /** A bucket stands where a value was meant, or a value where a bucket was. */
  | "INCOMPATIBLE"
  | "BUCKET_EXISTS"
  | "BUCKET_NOT_FOUND"
  /** The path does not exist and `create` is false. */
  | "NOT_FOUND"
  /** The operating system failed a read, a write or a sync; `cause` has its error. */
  | "IO";

/** What is known of a commit that failed. */
export type CommitOutcome = "not-applied" | "unknown";

export interface EngineErrorDetails {
  path?: string | undefined;
  pageId?: number | undefined;
  outcome?: CommitOutcome | undefined;
  cause?: unknown;
}

/** Every error that the engine throws by itself. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  /** The file concerned. */
  readonly path: string | undefined;
  /** The page that the file's damage shows on. */
  readonly pageId: number | undefined;
  /** For a failed commit: whether it may have reached the file. */
  readonly outcome: CommitOutcome | undefined;

  constructor(code: EngineErrorCode, message: string, details: EngineErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.pageId = details.pageId;
    this.outcome = details.outcome;
  }
}

/** The file is damaged at this page. */
export function corruptPage(path: string, pageId: number, reason: string): EngineError {
  return new EngineError("CORRUPT", `${path}: page ${pageId}: ${reason}`, { path, pageId });
}

/** The message of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
