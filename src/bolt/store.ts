import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { ManagedStore } from "../core/managed-store.js";
import { defaults, type StoreOptions } from "../core/options.js";
import { type Clock, systemClock } from "../util/clock.js";
import type { BoltFile } from "./bolt-file.js";
import type { BoltDriver } from "./driver.js";
import { storeError } from "./errors.js";

export interface BackupOptions {
  /** How long to wait for the file's lock where it is shared, in milliseconds. Default: 5,000. */
  timeoutMs?: number | undefined;
}

/** A store on a bbolt file: the common contract, and what only a file can. */
export class BoltStore extends ManagedStore {
  readonly #file: BoltFile;
  readonly #clock: Clock;

  /** @internal */
  constructor(driver: BoltDriver, file: BoltFile, options: StoreOptions) {
    super(driver, options);
    this.#file = file;
    this.#clock = options.clock ?? systemClock;
  }

  /** Why the file was opened differently than asked for, such as read-only without a native lock. */
  get notice(): string | undefined {
    return this.#file.db.notice;
  }

  /**
   * Writes the file as it is at this moment, all buckets of it, while reads and writes go on. Into a file, which is
   * there complete or not at all, or a stream, which is not ended. Resolves with the number of bytes.
   */
  async backup(to: string | Writable, options: BackupOptions = {}): Promise<number> {
    const request = { deadline: this.#clock.now() + (options.timeoutMs ?? defaults.timeoutMs) };
    try {
      return await this.#file.hold(async (db) => {
        const tx = db.begin();
        try {
          return await (typeof to === "string" ? writeFile(to, (stream) => tx.writeTo(stream)) : tx.writeTo(to));
        } finally {
          tx.rollback();
        }
      }, request);
    } catch (error) {
      throw storeError(error, this.#file.name, false);
    }
  }
}

async function writeFile(path: string, write: (stream: Writable) => Promise<number>): Promise<number> {
  const unfinished = `${path}.${process.pid}.part`;
  const stream = createWriteStream(unfinished, { flush: true, mode: 0o600 });
  const done = finished(stream);
  try {
    const [bytes] = await Promise.all([
      write(stream).then((count) => {
        stream.end();
        return count;
      }),
      done,
    ]);
    await rename(unfinished, path);
    return bytes;
  } catch (error) {
    stream.destroy();
    await rm(unfinished, { force: true });
    throw error;
  }
}
