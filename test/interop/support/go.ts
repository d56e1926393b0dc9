import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Transaction } from "./model.js";

const source = fileURLToPath(new URL("../go", import.meta.url));
const folder = fileURLToPath(new URL("../../../.cache/oracle", import.meta.url));
const whatToInstall =
  "The interop tests need Go with bbolt and libkv. On Debian and its kin: " +
  "apt-get install golang-go golang-github-coreos-bbolt-dev golang-github-docker-libkv-dev";

let built: Promise<string> | undefined;

/** The path of the oracle program, built from `test/interop/go` on first use. */
export function oracleProgram(): Promise<string> {
  built ??= build();
  return built;
}

async function build(): Promise<string> {
  const program = join(folder, "oracle");
  // Built aside and renamed, for a program that runs cannot be written over.
  const fresh = `${program}.${process.pid}`;
  await mkdir(folder, { recursive: true });
  const env = { ...process.env, GO111MODULE: "off", GOFLAGS: "", GOPATH: "/usr/share/gocode" };
  await new Promise<void>((resolve, reject) => {
    execFile("go", ["build", "-o", fresh, "."], { cwd: source, env }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${whatToInstall}\n${error.message}\n${stderr}`, { cause: error }));
    });
  });
  await rename(fresh, program);
  return program;
}

/** What a finished oracle command said. */
export interface OracleResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The longest that a command may take, in milliseconds; then it is killed, for a test that has failed leaves it behind. */
const commandTimeoutMs = 100_000;

/** Runs one oracle command to its end, `input` being its stdin. */
export async function runOracle(args: readonly string[], input: Iterable<string> = []): Promise<OracleResult> {
  const child = spawn(await oracleProgram(), args, { timeout: commandTimeoutMs, killSignal: "SIGKILL" });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // A program that fails early closes its stdin; its exit code and stderr say why.
  child.stdin.on("error", () => {});
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  for (const line of input) child.stdin.write(line);
  child.stdin.end();
  const code = await closed;
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

async function succeed(args: readonly string[], input?: Iterable<string>): Promise<string> {
  const result = await runOracle(args, input);
  if (result.code !== 0) throw new Error(`oracle ${args.join(" ")} exited with ${result.code}: ${result.stderr}`);
  return result.stdout;
}

/** Go's bbolt applies the transactions; options are the oracle's flags, such as `-page-size=1024`. */
export async function goApply(file: string, history: readonly Transaction[], options: readonly string[] = []) {
  await succeed(
    ["apply", ...options, file],
    history.map((transaction) => `${JSON.stringify(transaction)}\n`),
  );
}

/** All buckets and keys as Go's bbolt reads them, one JSON line each; options as for {@link goApply}. */
export function goDump(file: string, options: readonly string[] = []): Promise<string> {
  return succeed(["dump", ...options, file]);
}

/** What Go's `tx.Check()` found, with the oracle's own look-up of every key. */
export interface GoReport {
  ok: boolean;
  errors: string[];
  pageSize: number;
  freePages: number;
  keys: number;
}

export async function goCheck(file: string, options: readonly string[] = []): Promise<GoReport> {
  return JSON.parse(await succeed(["check", ...options, file])) as GoReport;
}

/** An oracle command that is talked to line by line: `hold`, `libkv`. */
export class OracleProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<number | null>;

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    this.#closed = new Promise((resolve) => child.on("close", resolve));
    child.stderr.resume();
  }

  static async start(args: readonly string[]): Promise<OracleProcess> {
    return new OracleProcess(spawn(await oracleProgram(), args));
  }

  /** The next line of its stdout, or `undefined` when it has ended. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done === true ? undefined : next.value;
  }

  /** Sends one JSON line and gives back the answer to it. */
  async call(request: object): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const reply = await this.line();
    if (reply === undefined) throw new Error("the oracle ended without an answer");
    return JSON.parse(reply) as unknown;
  }

  /** Kills it at once and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  /** Ends its stdin and waits until it is gone; gives back its exit code. */
  async end(): Promise<number | null> {
    this.#child.stdin.end();
    return this.#closed;
  }
}
