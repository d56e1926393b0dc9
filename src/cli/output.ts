import type { TerminalWritable } from "./environment.js";
import { escapeControls, escapeJson, type Paint, paintFor } from "./terminal.js";

/** Below this many characters, lines of bulk output wait for each other. */
const bulkLength = 64 * 1024;

/** Standard output: text for people, JSON lines for programs, bytes as they are. Every write waits for a slow reader. */
export class Output {
  readonly isTerminal: boolean;
  /** Whether `--json` was given. */
  readonly json: boolean;
  readonly paint: Paint;
  readonly #stream: TerminalWritable;
  readonly #signal: AbortSignal;
  #bulk = "";

  constructor(
    stream: TerminalWritable,
    options: {
      json: boolean;
      env: Readonly<Record<string, string | undefined>>;
      /** Ends a wait for a reader that does not read. */
      signal: AbortSignal;
    },
  ) {
    this.#stream = stream;
    this.#signal = options.signal;
    this.json = options.json;
    this.isTerminal = stream.isTTY === true;
    this.paint = paintFor(this.isTerminal, options.env);
  }

  /** One line for people; on a terminal what keys and values hold must have been through `escape` before. */
  async line(text: string): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** One JSON line. */
  async record(value: unknown): Promise<void> {
    await this.write(this.encodeRecord(value));
  }

  /** One of many lines: kept back until there are enough of them, or `flush`. Nothing to wait for while it gives `undefined`. */
  bulkLine(text: string): Promise<void> | undefined {
    this.#bulk += `${text}\n`;
    return this.#bulk.length < bulkLength ? undefined : this.flush();
  }

  /** One of many JSON lines. */
  bulkRecord(value: unknown): Promise<void> | undefined {
    return this.bulkLine(this.encodeRecord(value).slice(0, -1));
  }

  /** Sends what the bulk lines kept back. */
  async flush(): Promise<void> {
    const text = this.#bulk;
    this.#bulk = "";
    if (text !== "") await this.write(text);
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    if (!this.#stream.write(chunk)) await this.#drained();
  }

  /** Text from a key or a value, made harmless where it goes to a terminal. */
  escape(text: string): string {
    return this.isTerminal ? escapeControls(text) : text;
  }

  encodeRecord(value: unknown): string {
    const line = `${JSON.stringify(value, bigintsAsStrings)}\n`;
    return this.isTerminal ? `${escapeJson(line.slice(0, -1))}\n` : line;
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#stream.off("drain", settle);
        this.#signal.removeEventListener("abort", settle);
        if (this.#signal.aborted) reject(this.#signal.reason);
        else resolve();
      };
      this.#stream.on("drain", settle);
      this.#signal.addEventListener("abort", settle);
    });
  }
}

function bigintsAsStrings(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
