import { mkdirSync } from "node:fs";
import { removeDataFolder } from "./data-folder.js";
import type { Program } from "./program.js";
import { lastLines } from "./run-command.js";
import { ServerProcess } from "./server-process.js";
import { sleep } from "../../src/util/sleep.js";
import { waitUntil } from "./wait-until.js";

/** How one member of a server (its only one, or one of three) is run. */
export interface MemberPlan {
  /** Unique within the server. */
  name: string;
  /** Where clients reach it: "http://127.0.0.1:2379", for ZooKeeper "127.0.0.1:2181". */
  endpoint: string;
  program: Program;
  args: readonly string[];
  env?: NodeJS.ProcessEnv | undefined;
  /** Folders the program reads or writes; the data folder first. */
  folders: readonly string[];
  /** Writes what has to lie in the empty data folder before the first start. */
  fillDataFolder?: ((dataFolder: string) => void) | undefined;
  /** Whether it answers now; throws or resolves to false while it does not. */
  isReady: () => Promise<boolean>;
  /** Why a restart with no data cannot work; absent when it can. */
  cannotLoseData?: string | undefined;
  /** The environment variable that named it, when it was running already and is not this process's to end. */
  givenBy?: string | undefined;
}

/** How long a member may take from its start to its first answer, on a machine busy with other tests. */
const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;

/** One running member. All of its methods settle when what they ask for is done. */
export class Member {
  readonly name: string;
  readonly endpoint: string;
  readonly #plan: MemberPlan;
  #process: ServerProcess | undefined;
  #earlierOutput = "";
  #isPaused = false;

  constructor(plan: MemberPlan) {
    this.#plan = plan;
    this.name = plan.name;
    this.endpoint = plan.endpoint;
    if (plan.givenBy === undefined) this.#emptyDataFolder();
  }

  /** The endpoint without its scheme: "127.0.0.1:2379". */
  get host(): string {
    return this.endpoint.replace(/^\w+:\/\//, "");
  }

  get port(): number {
    return Number(this.endpoint.slice(this.endpoint.lastIndexOf(":") + 1));
  }

  /** The process id, or undefined while it is down. */
  get pid(): number | undefined {
    return this.isRunning ? this.#process?.pid : undefined;
  }

  /** Whether its process exists, be it paused or not. */
  get isRunning(): boolean {
    return this.#plan.givenBy !== undefined || (this.#process !== undefined && this.#process.failure === undefined);
  }

  get isPaused(): boolean {
    return this.isRunning && this.#isPaused;
  }

  /** Everything it printed, over all its starts. */
  logs(): string {
    return this.#earlierOutput + (this.#process?.output ?? "");
  }

  /** Starts it and waits until it answers clients. */
  async start(): Promise<void> {
    this.spawn();
    await this.ready();
  }

  /** Starts its process only. Members of a cluster answer when they have found each other: `ready` waits for that. */
  spawn(): void {
    this.#mustBeOwn();
    if (this.isRunning) throw new Error(`${this.name} is already running as process ${this.pid}`);
    this.#earlierOutput = this.logs();
    this.#isPaused = false;
    this.#process = new ServerProcess(this.#plan.program, this.#plan.args, this.#plan.folders, this.#plan.env);
  }

  /** Waits until it answers clients. */
  async ready(): Promise<void> {
    const what = `${this.name} (${this.#plan.program.description}) at ${this.endpoint} does not answer`;
    try {
      await waitUntil(what, () => this.#plan.isReady(), {
        timeoutMs: startTimeoutMs,
        giveUp: () => (this.#process === undefined ? "it was not started" : this.#process.failure),
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\nthe end of its log:\n${lastLines(this.logs(), 25)}`, {
        cause: error,
      });
    }
  }

  /** Asks it to end (SIGTERM) and waits until it is gone. Nothing when it is down already. */
  async stop(): Promise<void> {
    this.#mustBeOwn();
    if (!this.isRunning) return;
    const process = this.#process!;
    process.signal("SIGCONT");
    process.signal("SIGTERM");
    const patience = new AbortController();
    const late = sleep(stopTimeoutMs, { signal: patience.signal }).then(
      () => true,
      () => false,
    );
    const isLate = await Promise.race([process.exited().then(() => false), late]);
    patience.abort();
    if (!isLate) return;
    await this.kill();
    throw new Error(`${this.name} did not end within ${stopTimeoutMs} ms of SIGTERM\n${lastLines(this.logs(), 25)}`);
  }

  /** Ends it on the spot (SIGKILL), as a power cut would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#mustBeOwn();
    this.#process?.signal("SIGKILL");
    await this.#process?.exited();
  }

  /** Freezes it (SIGSTOP): its connections stay open, and nothing answers. */
  pause(): void {
    this.#mustRun().signal("SIGSTOP");
    this.#isPaused = true;
  }

  /** Lets a paused one go on (SIGCONT). */
  resume(): void {
    this.#mustRun().signal("SIGCONT");
    this.#isPaused = false;
  }

  /**
   * Ends it if it runs (gently, or on the spot where its data goes anyway), and starts it on the same ports, with the
   * data it had or with none.
   */
  async restart(options: { emptyData?: boolean | undefined } = {}): Promise<void> {
    if (options.emptyData === true && this.#plan.cannotLoseData !== undefined) {
      throw new Error(`${this.name} cannot restart without its data: ${this.#plan.cannotLoseData}`);
    }
    if (options.emptyData === true) {
      await this.kill();
      this.#emptyDataFolder();
    } else {
      await this.stop();
    }
    await this.start();
  }

  /** Removes its data, for a restart of the whole server. */
  emptyData(): void {
    this.#mustBeOwn();
    if (this.isRunning) throw new Error(`${this.name} is running on its data`);
    this.#emptyDataFolder();
  }

  #emptyDataFolder(): void {
    const folder = this.#plan.folders[0]!;
    removeDataFolder(folder);
    mkdirSync(folder, { recursive: true });
    this.#plan.fillDataFolder?.(folder);
  }

  #mustBeOwn(): void {
    if (this.#plan.givenBy === undefined) return;
    throw new Error(`${this.name} was given by ${this.#plan.givenBy} and is left as it is: start one with own: true`);
  }

  #mustRun(): ServerProcess {
    this.#mustBeOwn();
    if (!this.isRunning) throw new Error(`${this.name} is not running`);
    return this.#process!;
  }
}
