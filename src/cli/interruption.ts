import os from "node:os";

/** Why a command ended early when a signal such as SIGINT asked for it. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** The shell's convention: 128 and the number of the signal. */
  readonly exitCode: number;

  constructor(signalName: NodeJS.Signals) {
    super(`ended by ${signalName}`);
    this.exitCode = signalExitCode(signalName);
  }
}

/** What a shell reports for a program that this signal ended. */
export function signalExitCode(signalName: NodeJS.Signals): number {
  return 128 + os.constants.signals[signalName];
}

/**
 * Requests to end early. The first aborts `signal`, so that the command can release what it holds; a second one, for
 * the impatient, ends the process at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #exit: (code: number) => void;
  #listener: ((signalName: NodeJS.Signals) => void) | undefined;

  constructor(exit: (code: number) => void = (code) => process.exit(code)) {
    this.#exit = exit;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  deliver(signalName: NodeJS.Signals): void {
    if (this.#listener !== undefined) return this.#listener(signalName);
    const interrupted = new Interrupted(signalName);
    if (this.signal.aborted) this.#exit(interrupted.exitCode);
    else this.abort(interrupted);
  }

  /** Ends the command for another reason, such as an output that nobody reads any more. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Signals go to the listener instead, until the function that this gives back is called. */
  divert(listener: (signalName: NodeJS.Signals) => void): () => void {
    this.#listener = listener;
    return () => {
      if (this.#listener === listener) this.#listener = undefined;
    };
  }
}
