import { PassThrough } from "node:stream";
import type { Store } from "../../../src/core/store.js";
import type { Environment } from "../../../src/cli/environment.js";
import { Interruption } from "../../../src/cli/interruption.js";
import { runCli } from "../../../src/cli/run.js";

/** What a command line gave. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process on a store of the test's own, with or without a terminal. */
export async function runWith(
  args: readonly string[],
  options: { store?: Partial<Store>; terminal?: boolean; env?: Record<string, string> } = {},
): Promise<CliResult> {
  const stdout = capture(options.terminal === true);
  const stderr = capture(options.terminal === true);
  const environment: Environment = {
    args,
    env: { KVASIR_URL: "test:", ...options.env },
    stdout,
    stderr,
    stdin: () => new PassThrough(),
    stdinKind: () => "other",
    interruption: new Interruption(() => undefined),
    connect: () => Promise.resolve({ close: () => Promise.resolve(), ...options.store } as Store),
  };
  const exitCode = await runCli(environment);
  return { exitCode, stdout: String(stdout.read() ?? ""), stderr: String(stderr.read() ?? "") };
}

function capture(isTTY: boolean) {
  return Object.assign(new PassThrough({ highWaterMark: 16 * 1024 * 1024 }), { isTTY });
}
