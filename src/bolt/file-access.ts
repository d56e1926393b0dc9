import type { Request } from "../core/driver.js";
import type { Clock } from "../util/clock.js";
import type { DB } from "./engine/db.js";
import type { LockMode } from "./engine/lock.js";
import type { Tx, WriteTx } from "./engine/tx.js";

/** The wait for the file's lock ends so much before the call's deadline: its error says more than a timeout would. */
const headroomMs = 50;

/**
 * Reads and writes of a file, by the mode it was opened in: at once where this process keeps the file locked; where it
 * is shared, one after the other, each under the file's lock.
 */
export class FileAccess {
  readonly #db: DB;
  readonly #shared: boolean;
  readonly #clock: Clock;
  readonly #onForeignWrite: () => void;
  /** The end of the queue for the file's lock. */
  #last: Promise<unknown> = Promise.resolve();

  /** `onForeignWrite` is called under the lock when another process has written since we last had it. */
  constructor(db: DB, shared: boolean, clock: Clock, onForeignWrite: () => void) {
    this.#db = db;
    this.#shared = shared;
    this.#clock = clock;
    this.#onForeignWrite = onForeignWrite;
  }

  async read<T>(fn: (tx: Tx) => T, request: Request): Promise<T> {
    if (!this.#shared) return this.#db.view(fn);
    return this.#locked("shared", request, async () => this.#db.view(fn));
  }

  async write<T>(fn: (tx: WriteTx) => T, request: Request): Promise<T> {
    if (!this.#shared) return this.#db.update(fn);
    return this.#locked("exclusive", request, () => this.#db.update(fn));
  }

  async hold<T>(fn: (db: DB) => Promise<T>, request: Request): Promise<T> {
    if (!this.#shared) return fn(this.#db);
    return this.#locked("shared", request, () => fn(this.#db));
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#db.close();
  }

  #locked<T>(mode: LockMode, request: Request, fn: () => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      const timeoutMs = Math.max(request.deadline - this.#clock.now() - headroomMs, 0);
      const { changed } = await this.#db.acquire(mode, {
        timeoutMs: Math.min(timeoutMs, 2 ** 31 - 1),
        signal: request.signal,
      });
      try {
        if (changed) this.#onForeignWrite();
        return await fn();
      } finally {
        this.#db.release();
      }
    };
    const result = this.#last.then(run);
    this.#last = result.catch(() => {});
    return result;
  }
}
