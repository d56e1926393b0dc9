import { isUtf8 } from "node:buffer";
import { isStoreError } from "../core/errors.js";
import type { PutOptions, Store } from "../core/store.js";
import { CommandFailure, exitCodeOf, UsageError } from "./exit.js";
import { type Line, linesOf } from "./lines.js";
import { type ExportRecord, parseRecord, RecordError } from "./records.js";
import { TaskPool } from "./task-pool.js";

export interface ImportOptions extends PutOptions {
  /** A directory that goes before each key. */
  readonly prefix: string | undefined;
  /** Leave the keys alone that are there. */
  readonly ifAbsent: boolean;
  /** How many puts may be under way. */
  readonly concurrency: number;
  /** Told of each chunk of the input: how many keys are settled, how many bytes were read. */
  readonly onProgress?: ((keys: number, bytes: number) => void) | undefined;
}

export interface ImportResult {
  readonly written: number;
  /** With `ifAbsent`: how many were there. */
  readonly skipped: number;
}

/** How many bytes of values may be under way at once. */
const maxBytesUnderWay = 32 * 1024 * 1024;

/**
 * Writes the records of an export, many side by side so that the store can send them together. Stops at the first line
 * that cannot be used or written; what was under way is waited for, so that the counts in the error are right.
 */
export async function importRecords(
  store: Store,
  stream: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportResult> {
  const run = new ImportRun(store, options);
  try {
    let bytes = 0;
    for await (const lines of linesOf(stream)) {
      for (const line of lines) {
        bytes += line.bytes.length + 1;
        const room = run.take(line);
        if (room !== undefined) await room;
        if (run.failed) break;
      }
      if (run.failed) break;
      options.signal?.throwIfAborted();
      options.onProgress?.(run.written + run.skipped, bytes);
    }
  } catch (error) {
    // Broken off while it waited for input: the result says so, with the counts.
    if (options.signal?.aborted !== true) throw error;
  } finally {
    await run.settle();
  }
  return run.result();
}

class ImportRun {
  written = 0;
  skipped = 0;
  readonly #store: Store;
  readonly #options: ImportOptions;
  readonly #pool: TaskPool;
  /** Of several failures the one that stands first in the input. */
  #failure: { line: number; error: unknown } | undefined;

  constructor(store: Store, options: ImportOptions) {
    this.#store = store;
    this.#options = options;
    this.#pool = new TaskPool({ maxTasks: options.concurrency, maxBytes: maxBytesUnderWay });
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** Starts to write a line's record; what it gives back is to be awaited before the next line. */
  take(line: Line): Promise<void> | undefined {
    let record: ExportRecord | undefined;
    try {
      record = readLine(line);
    } catch (error) {
      this.#fail(line.number, error);
    }
    if (record === undefined) return undefined;
    return this.#pool.add(line.bytes.length, () => this.#write(line.number, record));
  }

  settle(): Promise<void> {
    return this.#pool.settle();
  }

  result(): ImportResult {
    const { signal } = this.#options;
    if (signal?.aborted === true) throw this.#interrupted(signal.reason as Error);
    if (this.#failure !== undefined) throw this.#describe(this.#failure);
    return { written: this.written, skipped: this.skipped };
  }

  async #write(line: number, record: ExportRecord): Promise<void> {
    const { prefix, ifAbsent, signal, timeoutMs, ttlMs } = this.#options;
    const key = prefix === undefined ? record.key : `${prefix}/${record.key}`;
    try {
      if (record.key === "") throw new RecordError('its "key" is empty');
      if (ifAbsent) await this.#store.atomicPut(key, record.value, null, { signal, timeoutMs, ttlMs });
      else await this.#store.put(key, record.value, { signal, timeoutMs, ttlMs });
      this.written += 1;
    } catch (error) {
      if (ifAbsent && isStoreError(error, "KEY_EXISTS")) this.skipped += 1;
      else this.#fail(line, error);
    }
  }

  #fail(line: number, error: unknown): void {
    if (this.#failure === undefined || line < this.#failure.line) this.#failure = { line, error };
  }

  #interrupted(reason: Error): CommandFailure {
    return new CommandFailure(`the import was ${reason.message}; ${this.#done()}`, {
      exitCode: exitCodeOf(reason),
      advice: "Importing the file again is safe.",
      cause: reason,
    });
  }

  #done(): string {
    return `${this.written} ${this.written === 1 ? "key was" : "keys were"} written`;
  }

  #describe({ line, error }: { line: number; error: unknown }): Error {
    const { ifAbsent } = this.#options;
    const done = this.#done();
    if (error instanceof RecordError) {
      return new UsageError(
        `line ${line} cannot be used: ${error.message}`,
        `${done}, ${ifAbsent ? `${this.skipped} were there, ` : ""}line ${line} and those after it were not. Mend it and import again.`,
      );
    }
    return new CommandFailure(
      `line ${line} was not written: ${error instanceof Error ? error.message : String(error)}`,
      {
        exitCode: exitCodeOf(error),
        advice: `${done}; of the lines from ${line} on some may be among them. Importing the file again is safe.`,
        cause: error,
      },
    );
  }
}

/** The record of a line; `undefined` for an empty one. */
function readLine({ number, bytes }: Line): ExportRecord | undefined {
  if (!isUtf8(bytes)) throw new RecordError("it is not UTF-8");
  let text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  // Some editors begin a file with a byte order mark.
  if (number === 1 && text.startsWith("\ufeff")) text = text.slice(1);
  return text.trim() === "" ? undefined : parseRecord(text);
}
