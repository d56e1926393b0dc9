import { type FSWatcher, watch } from "node:fs";
import type { DB } from "./engine/db.js";

/** How often to look at a shared file even when the system reports nothing, in milliseconds. */
const pollMs = 250;
/** The least time between two looks. */
const spacingMs = 10;

/**
 * Notices that another process wrote to a shared file: by the system's notification where it works, and by looking
 * from time to time, since not every file system has it and a file may be replaced.
 */
export class FileChanges {
  readonly #look: () => Promise<void>;
  readonly #poll: NodeJS.Timeout;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #again = false;
  #closed = false;

  constructor(db: DB, look: () => Promise<void>) {
    this.#look = look;
    this.#poll = setInterval(() => this.#soon(), pollMs);
    this.#poll.unref();
    try {
      this.#watcher = watch(db.path, { persistent: false }, () => this.#soon());
      this.#watcher.on("error", () => this.#watcher?.close());
    } catch {
      // No notifications here: looking from time to time is enough.
    }
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  #soon(): void {
    if (this.#closed) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#timer ??= setTimeout(() => void this.#run(), spacingMs).unref();
  }

  async #run(): Promise<void> {
    this.#timer = undefined;
    this.#looking = true;
    try {
      await this.#look();
    } catch {
      // The file is locked for long or cannot be read now; the next look may succeed.
    } finally {
      this.#looking = false;
    }
    if (!this.#again) return;
    this.#again = false;
    this.#soon();
  }
}
