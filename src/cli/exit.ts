import type { StoreErrorCode } from "../core/errors.js";

/** What the exit code of `kvasir` means, for scripts. */
export const exitCodes = {
  /** Done, or found. */
  ok: 0,
  /** The key is absent, or another was there first. */
  absent: 1,
  /** The command line, a key or a line of input is wrong. */
  usage: 2,
  /** The store could not do it. */
  failure: 3,
  /** The reader of our output went away: 128 and SIGPIPE, as for any program in a pipe. */
  brokenPipe: 141,
} as const;

/** The caller asked for something that cannot be meant. `advice` says what to do instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly exitCode = exitCodes.usage;
  readonly advice: string | undefined;

  constructor(message: string, advice?: string) {
    super(message);
    this.advice = advice;
  }
}

/** A command that could not finish and knows its exit code. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;
  readonly advice: string | undefined;

  constructor(message: string, options: { exitCode: number; advice?: string | undefined; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
    this.advice = options.advice;
  }
}

/** The program that read our output ended, as `head` does: nobody needs to be told. */
export class BrokenPipe extends Error {
  override readonly name = "BrokenPipe";
  readonly exitCode = exitCodes.brokenPipe;
}

const codesOfStoreErrors: Partial<Record<string, number>> = {
  KEY_EXISTS: exitCodes.absent,
  KEY_MODIFIED: exitCodes.absent,
  LOCK_HELD: exitCodes.absent,
  INVALID_KEY: exitCodes.usage,
  INVALID_ARGUMENT: exitCodes.usage,
  VALUE_TOO_LARGE: exitCodes.usage,
  NOT_SUPPORTED: exitCodes.usage,
} satisfies Partial<Record<StoreErrorCode, number>>;

/** The exit code for whatever ended a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Error && "exitCode" in error && typeof error.exitCode === "number") return error.exitCode;
  return codesOfStoreErrors[errorCode(error) ?? ""] ?? exitCodes.failure;
}

/** The `code` of an error that has one: a `StoreError`, an engine's error, or one of the operating system. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
