import { createDeferred, type Deferred } from "../util/deferred.js";

/**
 * Runs tasks side by side, within a bound on how many there are and on how many bytes they hold. Tasks must not reject:
 * each deals with its own failure.
 */
export class TaskPool {
  readonly #maxTasks: number;
  readonly #maxBytes: number;
  readonly #running = new Set<Promise<void>>();
  #bytes = 0;
  #room: Deferred<void> | undefined;

  constructor(options: { maxTasks: number; maxBytes: number }) {
    this.#maxTasks = options.maxTasks;
    this.#maxBytes = options.maxBytes;
  }

  /** Starts the task. What it gives back, if anything, is to be awaited before the next one. */
  add(bytes: number, task: () => Promise<void>): Promise<void> | undefined {
    this.#bytes += bytes;
    const running = task().finally(() => {
      this.#bytes -= bytes;
      this.#running.delete(running);
      if (!this.#hasRoom()) return;
      this.#room?.resolve();
      this.#room = undefined;
    });
    this.#running.add(running);
    if (this.#hasRoom()) return undefined;
    this.#room ??= createDeferred<void>();
    return this.#room.promise;
  }

  /** Waits for all tasks. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #hasRoom(): boolean {
    return this.#running.size < this.#maxTasks && this.#bytes < this.#maxBytes;
  }
}
