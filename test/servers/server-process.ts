import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { dockerRun } from "./docker.js";
import type { Program } from "./program.js";
import { findOnPath } from "./run-command.js";
import { waitUntilStopped } from "./stopped-process.js";

/** How much of a server's output is kept for error messages, in characters. */
const keptOutput = 200_000;
const running = new Set<ServerProcess>();

// On any orderly exit of the test process. What ends without this event is seen to by the kernel, see `dieWithParent`.
process.on("exit", () => {
  for (const server of running) server.killNow();
});

/** One run of a server program: from its start to its end. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #container: string | undefined;
  readonly #exited: Promise<unknown>;
  #output = "";
  #failure: string | undefined;

  /** `folders` are those the server reads or writes. `env` is added to this process's own environment. */
  constructor(program: Program, args: readonly string[], folders: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const own = [...program.command, ...args];
    let command = [...dieWithParent(), ...own];
    if (program.image !== undefined) {
      this.#container = `kvasir-test-${process.pid}-${Math.random().toString(36).slice(2)}`;
      command = dockerRun(this.#container, program.image, folders, own);
    }
    this.#child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    running.add(this);
    // A test that forgets to close its server must still end: the exit handler above takes the server along.
    this.#child.unref();
    for (const stream of [this.#child.stdout, this.#child.stderr] as Socket[]) {
      stream.unref();
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-keptOutput);
      });
    }
    this.#exited = this.#watchExit(own[0]!);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What the server printed, the end of it when it was much. */
  get output(): string {
    return this.#output;
  }

  /** How it ended, or undefined while it runs. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Sends a signal. */
  signal(name: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    if (this.#failure !== undefined) return;
    if (this.#container === undefined) this.#child.kill(name);
    else signalContainer(this.#container, name);
    if (name === "SIGSTOP" && this.#container === undefined) waitUntilStopped(this.#child.pid!);
  }

  /** Ends it at once and without waiting, also while it is stopped. */
  killNow(): void {
    this.signal("SIGKILL");
  }

  /** Resolves when the process is gone. */
  async exited(): Promise<void> {
    this.#child.ref();
    await this.#exited;
  }

  async #watchExit(file: string): Promise<void> {
    try {
      const [code, signal] = (await once(this.#child, "close")) as [number | null, string | null];
      this.#failure = `it ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}`;
    } catch (error) {
      this.#failure = `${file} cannot be run: ${(error as Error).message}`;
    }
    running.delete(this);
  }
}

function signalContainer(container: string, name: string): void {
  const docker = (...args: string[]) => spawnSync("docker", args);
  if (name === "SIGSTOP") docker("pause", container);
  if (name === "SIGCONT" || name === "SIGKILL") docker("unpause", container);
  if (name === "SIGTERM" || name === "SIGKILL") docker("kill", "--signal", name, container);
}

let guard: string[] | undefined;

/**
 * On Linux the kernel can end a process when its parent dies, whatever the parent died of (`prctl(2)`,
 * PR_SET_PDEATHSIG); `setpriv` of util-linux sets that and then becomes the command. Elsewhere there is the exit
 * handler only.
 */
function dieWithParent(): string[] {
  const attempt = ["setpriv", "--pdeathsig", "KILL", "--"];
  guard ??=
    findOnPath("setpriv") !== undefined && spawnSync(attempt[0]!, [...attempt.slice(1), "true"]).status === 0
      ? attempt
      : [];
  return guard;
}
