import { once } from "node:events";
import type { Readable } from "node:stream";
import type { Context } from "./context.js";
import { UsageError } from "./exit.js";

/**
 * The value of a put: the argument, or the bytes of standard input, exactly as they come, for `-` or when something is
 * piped in.
 */
export async function readValue(context: Context, argument: string | undefined): Promise<string | Uint8Array> {
  if (argument !== undefined && argument !== "-") return argument;
  if (argument === undefined && context.stdinKind() !== "piped") {
    throw new UsageError("no value is given", "Give it as an argument, or pipe it in: kvasir put KEY < FILE");
  }
  return readAll(context.stdin(), context.signal);
}

/** All bytes of a stream. An abort ends the wait for a writer that does not write. */
export async function readAll(stream: Readable, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
  try {
    await once(stream, "end", { signal });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  }
  return Buffer.concat(chunks);
}
