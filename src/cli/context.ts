import type { Command } from "commander";
import type { CallOptions } from "../core/store.js";
import type { Environment } from "./environment.js";
import { Output } from "./output.js";
import { escapeControls, type Paint, paintFor } from "./terminal.js";

/** The options that every command takes, before or after its name. */
export interface GlobalOptions {
  url?: string;
  json?: boolean;
  timeout?: number;
}

/** What a command works with. */
export interface Context
  extends Pick<Environment, "args" | "env" | "stdin" | "stdinKind" | "interruption" | "connect"> {
  readonly output: Output;
  readonly notices: Notices;
  /** Fires when the command should end early. */
  readonly signal: AbortSignal;
  readonly url: string | undefined;
  readonly timeoutMs: number | undefined;
  /** The signal and the timeout, for a call of the store. */
  readonly call: CallOptions;
  /** The whole program with every command's options, for what describes it. */
  readonly allCommands: () => Promise<Command>;
}

export function createContext(
  environment: Environment,
  options: GlobalOptions,
  allCommands: () => Promise<Command>,
): Context {
  const { args, env, stdin, stdinKind, interruption, connect } = environment;
  const { signal } = interruption;
  const timeoutMs = options.timeout;
  return {
    args,
    env,
    stdin,
    stdinKind,
    interruption,
    connect,
    signal,
    url: options.url ?? env["KVASIR_URL"],
    timeoutMs,
    call: { signal, timeoutMs },
    allCommands,
    output: new Output(environment.stdout, { json: options.json ?? false, env, signal }),
    notices: new Notices(environment),
  };
}

/** Standard error: what a person should know beside the answer. */
export class Notices {
  readonly isTerminal: boolean;
  readonly paint: Paint;
  readonly #environment: Pick<Environment, "stderr">;

  constructor(environment: Pick<Environment, "stderr" | "env">) {
    this.#environment = environment;
    this.isTerminal = environment.stderr.isTTY === true;
    this.paint = paintFor(this.isTerminal, environment.env);
  }

  /** For what draws on the terminal itself. */
  get stream(): Environment["stderr"] {
    return this.#environment.stderr;
  }

  say(text: string): void {
    this.#environment.stderr.write(`${escapeControls(text)}\n`);
  }
}
