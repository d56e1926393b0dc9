import { type ChildProcess, spawn } from "node:child_process";
import { systemClock } from "../util/clock.js";
import { sleep } from "../util/sleep.js";
import { CommandFailure, errorCode } from "./exit.js";
import { type Interruption, signalExitCode } from "./interruption.js";

export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fires when the program must end. */
  readonly lost: AbortSignal;
  /** How long it may go on after SIGTERM, in milliseconds, before SIGKILL. */
  readonly graceMs: number;
  /** Signals that this process gets meanwhile are passed on. */
  readonly interruption: Interruption;
  /** Whether the program leads a process group, so that signals reach what it starts, too. */
  readonly ownGroup: boolean;
}

/** How often a group that was told to end is looked at. */
const groupPollMs = 20;

/** Runs a program on our own input and output; gives its exit code, 128 and more where a signal ended it. */
export async function runChild(options: ChildOptions): Promise<number> {
  const { program, args, env, ownGroup, lost, interruption } = options;
  const child = spawn(program, args, { env: { ...env }, stdio: "inherit", detached: ownGroup });
  const restore = interruption.divert((signalName) => {
    // A Ctrl-C on the terminal has reached the whole process group already.
    if (ownGroup || signalName !== "SIGINT") send(child, signalName, ownGroup);
  });
  let ending: Promise<void> | undefined;
  const onLost = (): void => {
    ending ??= end(child, options);
  };
  try {
    const exited = exitOf(child, program);
    if (lost.aborted) onLost();
    lost.addEventListener("abort", onLost);
    const exitCode = await exited;
    await ending;
    return exitCode;
  } finally {
    lost.removeEventListener("abort", onLost);
    restore();
  }
}

function exitOf(child: ChildProcess, program: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signalName) => resolve(signalName === null ? (code ?? 0) : signalExitCode(signalName)));
    child.once("error", (error) => {
      const missing = errorCode(error) === "ENOENT";
      reject(
        new CommandFailure(`${program} could not be started: ${missing ? "there is no such program" : error.message}`, {
          // What a shell gives for a program that is missing, or that cannot be run.
          exitCode: missing ? 127 : 126,
          advice: "Name a program on PATH, or the path of one that may be executed.",
          cause: error,
        }),
      );
    });
  });
}

/** SIGTERM, and SIGKILL when the grace is over and something still runs. */
async function end(child: ChildProcess, { graceMs, ownGroup }: ChildOptions): Promise<void> {
  const deadline = systemClock.now() + graceMs;
  send(child, "SIGTERM", ownGroup);
  while (isRunning(child, ownGroup) && systemClock.now() < deadline) await sleep(groupPollMs);
  send(child, "SIGKILL", ownGroup);
}

function isRunning(child: ChildProcess, ownGroup: boolean): boolean {
  if (child.exitCode === null && child.signalCode === null) return true;
  return ownGroup && send(child, 0, true);
}

/** Whether there was somebody to get the signal. */
function send(child: ChildProcess, signalName: NodeJS.Signals | 0, group: boolean): boolean {
  if (child.pid === undefined) return false;
  if (!group) return child.kill(signalName);
  try {
    return process.kill(-child.pid, signalName);
  } catch {
    return false;
  }
}
