import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The command line as it is shipped; another build for those who test one. */
export const cliPath =
  process.env["KVASIR_TEST_CLI"] ?? fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

if (!existsSync(cliPath)) throw new Error(`${cliPath} is not there: run \`npm run build\` first`);

export interface CliResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly url?: string;
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  /** Whether more input could come after what is given. */
  readonly inputStaysOpen?: boolean;
  readonly env?: Record<string, string>;
}

/** A command that runs. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly done: Promise<CliResult>;
  /** Resolves when standard output holds the text; rejects when the command ends without it. */
  untilPrinted(text: string): Promise<void>;
}

/** Runs `kvasir` to its end. Without input its standard input is /dev/null. */
export function kvasir(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return start(args, options).done;
}

/** Starts `kvasir`; it is killed at the end of the test if it has not ended by then. */
export function start(args: readonly string[], options: CliOptions = {}): RunningCli {
  return run(process.execPath, [cliPath, ...args], options);
}

/** Runs a line of bash in which `kvasir` is the command line. */
export function bash(script: string, options: CliOptions = {}): Promise<CliResult> {
  const define = `kvasir() { "${process.execPath}" "${cliPath}" "$@"; }\n`;
  return run("bash", ["-c", define + script], options).done;
}

function run(program: string, args: readonly string[], options: CliOptions): RunningCli {
  const { url, cwd, input, inputStaysOpen, env } = options;
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, KVASIR_URL: url ?? "", KVASIR_DEBUG: "", ...env },
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  child.stdin?.on("error", () => undefined);
  if (inputStaysOpen === true) child.stdin?.write(input ?? "");
  else child.stdin?.end(input);
  const done = new Promise<CliResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, stdout, stderr }));
  });
  onTestFinished(() => {
    child.kill("SIGCONT");
    child.kill("SIGKILL");
  });
  const untilPrinted = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (stdout.includes(text)) resolve();
      };
      child.stdout!.on("data", look);
      child.once("close", () => reject(new Error(`ended without printing ${text}: ${stdout}${stderr}`)));
      look();
    });
  return { child, done, untilPrinted };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "kvasir-cli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A store on a new Bolt file, for one test. */
export async function newStore(): Promise<{ folder: string; file: string; url: string }> {
  const folder = await temporaryFolder();
  const file = path.join(folder, "app.db");
  return { folder, file, url: `bolt:${file}` };
}
