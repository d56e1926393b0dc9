import { type Command, CommanderError } from "commander";
import { createContext, type GlobalOptions } from "./context.js";
import type { Action, Bind } from "./define.js";
import type { Environment } from "./environment.js";
import { BrokenPipe, CommandFailure, errorCode, exitCodeOf, exitCodes } from "./exit.js";
import { createFullProgram, createProgram } from "./program.js";
import { reportError } from "./report.js";

/** Runs one command line. Never rejects: what went wrong is told on standard error and by the exit code. */
export async function runCli(environment: Environment): Promise<number> {
  watchOutputs(environment);
  let exitCode: number = exitCodes.ok;
  const bind: Bind = <Arguments extends unknown[]>(action: Action<Arguments>) =>
    async function (this: Command, ...args: [...Arguments, Command]) {
      // Commander adds the command itself as the last argument.
      const ownArguments = args.slice(0, -1) as unknown[] as Arguments;
      const context = createContext(environment, this.optsWithGlobals<GlobalOptions>(), () =>
        createFullProgram(environment, bind),
      );
      exitCode = (await action(context, ...ownArguments)) ?? exitCodes.ok;
      await context.output.flush();
    };
  try {
    await createProgram(environment, bind).parseAsync(helpAsOption(environment.args), { from: "user" });
    await flushed(environment);
  } catch (error) {
    if (error instanceof CommanderError) exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    else {
      exitCode = exitCodeOf(error);
      reportError(environment, error);
    }
  }
  return exitCode;
}

/** `kvasir help get` is `kvasir get --help`. */
function helpAsOption(args: readonly string[]): string[] {
  return args[0] === "help" ? [...args.slice(1), "--help"] : [...args];
}

/** A reader that goes away, or a full disk, ends the command instead of the process. */
function watchOutputs({ stdout, stderr, interruption }: Environment): void {
  stdout.on("error", (error) => {
    if (errorCode(error) === "EPIPE")
      return interruption.abort(new BrokenPipe("nobody reads standard output", { cause: error }));
    interruption.abort(
      new CommandFailure(`standard output cannot be written: ${error.message}`, {
        exitCode: exitCodes.failure,
        cause: error,
      }),
    );
  });
  // Whoever closed standard error does not want to be told.
  stderr.on("error", () => undefined);
}

/** Waits until standard output has taken everything, or says why it cannot. */
function flushed({ stdout, interruption }: Environment): Promise<void> {
  return new Promise((resolve, reject) => {
    if (interruption.signal.aborted) return reject(interruption.signal.reason);
    stdout.write("", (error) => {
      if (error === null || error === undefined) resolve();
      // The stream's own error event, which comes next, says it in our words.
      else setImmediate(() => reject(interruption.signal.reason ?? error));
    });
  });
}
