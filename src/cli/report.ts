import type { StoreErrorCode } from "../core/errors.js";
import type { Environment } from "./environment.js";
import { BrokenPipe, errorCode } from "./exit.js";
import { Interrupted } from "./interruption.js";
import { redactCredentials } from "./redact.js";
import { escapeControls, paintFor } from "./terminal.js";

/** What to do about each error; docs/errors.md says more. */
const advice: Partial<Record<string, string>> = {
  KEY_EXISTS: "Read it with `kvasir get`, or put without --if-absent to replace it.",
  KEY_MODIFIED: "Read the key again with `kvasir get --json` for its revision, and decide anew.",
  INVALID_KEY: "Keys are segments joined by slashes, such as config/db/host.",
  VALUE_TOO_LARGE: "`kvasir status` shows the largest value that this backend takes.",
  NOT_SUPPORTED: "`kvasir status` shows what this backend can do.",
  UNREACHABLE: "Check the address in --url or KVASIR_URL and that the server runs.",
  TIMEOUT: "Give it longer with --timeout, for example --timeout 30s.",
  BUSY: "Try again with fewer calls at once.",
  UNAUTHENTICATED: "Check the user name, password or token in --url or KVASIR_URL.",
  PERMISSION_DENIED: "Ask for the right to this key, or use other credentials.",
  LOCK_LOST: "Another may hold the lock now; what was done since then was not protected.",
  LOCK_HELD: "Wait for it without --try, or with a longer --timeout.",
  CORRUPT: "Keep a copy of the file, and see what is damaged with `kvasir bolt check`.",
  FILE_LOCKED: "Another process has the file open; end it, or use the store through it.",
  NOT_FOUND: "Check the path; `kvasir put` makes a file that is not there.",
  EACCES: "Check the owner and the permissions of the file and its directory.",
  ENOENT: "Check the path.",
  ENOSPC: "Make room on the disk and try again.",
} satisfies Partial<Record<StoreErrorCode | "NOT_FOUND" | "EACCES" | "ENOENT" | "ENOSPC", string>>;

/** The lines that tell a person of an error: what happened, then what to do. None for what needs no telling. */
export function describeError(error: unknown): string[] {
  if (error instanceof BrokenPipe || error instanceof Interrupted) return [];
  if (!(error instanceof Error)) return [`kvasir: ${String(error)}`];
  const own = "advice" in error && typeof error.advice === "string" ? error.advice : undefined;
  const hint = own ?? advice[errorCode(error.cause) ?? ""] ?? advice[errorCode(error) ?? ""];
  const lines = [`kvasir: ${error.message.trimEnd()}`];
  if (hint !== undefined) lines.push(hint);
  return lines.map(redactCredentials);
}

/** Tells of an error on standard error; with KVASIR_DEBUG set, where in the code it came from as well. */
export function reportError(environment: Pick<Environment, "stderr" | "env">, error: unknown): void {
  const { stderr, env } = environment;
  const paint = paintFor(stderr.isTTY === true, env);
  const [first, ...rest] = describeError(error).map(escapeControls);
  if (first !== undefined) stderr.write(`${[paint("red", first), ...rest].join("\n")}\n`);
  if ((env["KVASIR_DEBUG"] ?? "") !== "") stderr.write(`${escapeControls(redactCredentials(debugText(error)))}\n`);
}

function debugText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? error.message;
  return error.cause === undefined ? text : `${text}\ncaused by: ${debugText(error.cause)}`;
}
