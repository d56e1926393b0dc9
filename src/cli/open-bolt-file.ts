import type { DB } from "../bolt/engine/db.js";
import type { Context } from "./context.js";
import { CommandFailure, errorCode, exitCodes } from "./exit.js";

/** Opens a BoltDB file to read, and closes it however the work ends. Loads the engine only now. */
export async function withBoltFile<T>(context: Context, path: string, work: (db: DB) => Promise<T>): Promise<T> {
  const { open } = await import("../bolt/engine/open.js");
  context.signal.throwIfAborted();
  const db = await open(path, { readOnly: true, timeoutMs: context.timeoutMs }).catch((error: unknown) => {
    throw explain(path, error);
  });
  if (db.notice !== undefined) context.notices.say(`kvasir: ${db.notice}`);
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

function explain(path: string, error: unknown): unknown {
  const code = errorCode(error);
  const cause = errorCode((error as Error).cause);
  if (code === "NOT_FOUND" || cause === "ENOENT") {
    return new CommandFailure(`${path}: there is no such file`, {
      exitCode: exitCodes.failure,
      advice: "Check the path.",
      cause: error,
    });
  }
  if (code !== "FILE_LOCKED") return error;
  return new CommandFailure(`FILE_LOCKED: ${path} is open for writing in another process`, {
    exitCode: exitCodes.failure,
    advice:
      "Wait longer with --timeout, end that process, or back up from inside it: a store's file can be copied while it is in use only by the process that has it.",
    cause: error,
  });
}
