import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach } from "vitest";

/** A folder for the files of one test file; gone at its end. Gives the path of a file in it. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "kvasir-store-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

/** Another process, told what to do by its arguments, which says what happens to it a line at a time. */
export class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly exited: Promise<unknown>;

  /** `program` is a file beside this one. */
  constructor(program: string, args: readonly string[], nodeArguments: readonly string[] = []) {
    const path = fileURLToPath(new URL(program, import.meta.url));
    const child = spawn(process.execPath, [...nodeArguments, "--import", "tsx", path, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    running.add(child);
    this.process = child;
    this.exited = once(child, "exit").then(() => running.delete(child));
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Its next line, or an error when it has ended. */
  async line(): Promise<string> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(`the other process ended, ${this.process.signalCode ?? this.process.exitCode}`);
    return value;
  }

  tell(line: string): void {
    this.process.stdin!.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }
}
