import { randomUUID } from "node:crypto";
import path from "node:path";
import { realpath } from "node:fs/promises";
import type { Request } from "../core/driver.js";
import { systemClock } from "../util/clock.js";
import { type FileClocks, machineBootClock } from "./boot-clock.js";
import { BucketSession, type SessionFile } from "./bucket-session.js";
import type { DB } from "./engine/db.js";
import { open, openStorage } from "./engine/index.js";
import { MemoryStorage } from "./engine/memory-storage.js";
import type { OpenOptions } from "./engine/options.js";
import type { Tx, WriteTx } from "./engine/tx.js";
import { FileAccess } from "./file-access.js";
import { FileChanges } from "./file-changes.js";
import { invalid } from "../core/arguments.js";

/** How a file is opened; all who open it together in one process must agree. */
export interface FileOptions extends Omit<OpenOptions, "lock"> {
  /** Open and lock the file for each batch only, so that several processes can use it. Default false. */
  readonly shared?: boolean | undefined;
}

/** Every file this process has open, by its real path: a second lock on the same file would wait for the first. */
const openFiles = new Map<string, Promise<BoltFile>>();

/** An open bbolt file, shared by all stores of this process that use it. */
export class BoltFile implements SessionFile {
  readonly name: string;
  readonly db: DB;
  readonly shared: boolean;
  /** Tells this opening from every other, of this process or another. */
  readonly owner = randomUUID();
  readonly clocks: FileClocks;
  readonly #access: FileAccess;
  readonly #sessions = new Map<string, { readonly session: BucketSession; readonly loaded: Promise<void> }>();
  readonly #onClosed: () => void;
  #changes: FileChanges | undefined;
  #users = 0;

  private constructor(name: string, db: DB, shared: boolean, clocks: FileClocks, onClosed: () => void) {
    this.name = name;
    this.db = db;
    this.shared = shared;
    this.clocks = clocks;
    this.#onClosed = onClosed;
    this.#access = new FileAccess(db, shared, clocks.clock, () => this.#refreshAll());
  }

  /** Opens a file, or joins those of this process who have it open. */
  static async open(file: string, options: FileOptions, clocks?: FileClocks): Promise<BoltFile> {
    const real = await realPath(file);
    const known = openFiles.get(real);
    if (known !== undefined) return joined(await known, file, options);
    const opening = BoltFile.#openFirst(real, file, options, clocks);
    openFiles.set(real, opening);
    opening.catch(() => openFiles.delete(real));
    return joined(await opening, file, options);
  }

  static async #openFirst(real: string, file: string, options: FileOptions, clocks?: FileClocks): Promise<BoltFile> {
    const { shared = false, ...rest } = options;
    const db = await open(file, { ...rest, lock: shared ? "manual" : "hold" });
    const times = clocks ?? { clock: systemClock, bootClock: machineBootClock };
    return new BoltFile(file, db, shared, times, () => openFiles.delete(real));
  }

  /** A file that lives in memory only; whoever uses it joins. */
  static async inMemory(name: string, clocks: FileClocks, onClosed: () => void): Promise<BoltFile> {
    const db = await openStorage(new MemoryStorage(undefined, name), { noSync: true });
    return new BoltFile(name, db, false, clocks, onClosed);
  }

  get readOnly(): boolean {
    return this.db.readOnly;
  }

  /** One more who uses it, and will `leave()` it. */
  join(): this {
    this.#users++;
    return this;
  }

  /** The last one out closes the file. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    this.#onClosed();
    this.#changes?.close();
    for (const { session } of this.#sessions.values()) session.close();
    await this.#access.close();
  }

  /** What all stores on one bucket share; loaded when the first comes. */
  async session(bucket: string, request: Request): Promise<BucketSession> {
    let known = this.#sessions.get(bucket);
    if (known === undefined) {
      const session = new BucketSession(this, bucket);
      known = { session, loaded: this.read((tx) => session.load(tx), request) };
      this.#sessions.set(bucket, known);
      // Whoever comes next tries anew: the file may have been locked for long.
      known.loaded.catch(() => this.#sessions.delete(bucket));
    }
    await known.loaded;
    return known.session;
  }

  /** Reads a snapshot; for shared files under the shared lock. */
  read<T>(fn: (tx: Tx) => T, request: Request): Promise<T> {
    return this.#access.read(fn, request);
  }

  /** Writes in one durable transaction; for shared files under the exclusive lock. */
  write<T>(fn: (tx: WriteTx) => T, request: Request): Promise<T> {
    return this.#access.write(fn, request);
  }

  /** Holds the file's lock, where it is shared, while `fn` works on the engine itself. */
  hold<T>(fn: (db: DB) => Promise<T>, request: Request): Promise<T> {
    return this.#access.hold(fn, request);
  }

  /** Looks for writes of other processes from now on: somebody watches or waits. */
  followOthers(): void {
    if (!this.shared) return;
    this.#changes ??= new FileChanges(this.db, () => this.#lookForChanges());
  }

  async #lookForChanges(): Promise<void> {
    const request = { deadline: this.clocks.clock.now() + 5_000 };
    await this.read(() => {}, request);
  }

  /** Another process wrote: what is remembered of the file is read again, while the lock is held. */
  #refreshAll(): void {
    this.db.view((tx) => {
      for (const { session } of this.#sessions.values()) session.refresh(tx);
    });
  }
}

function joined(file: BoltFile, name: string, options: FileOptions): BoltFile {
  if (file.shared !== (options.shared ?? false)) {
    throw invalid(`${name} is open in this process already, with shared: ${file.shared}; open it the same way`);
  }
  return file.join();
}

/** The real path of a file that may not be there yet. */
async function realPath(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    const directory = await realpath(path.dirname(file)).catch(() => path.resolve(path.dirname(file)));
    return path.join(directory, path.basename(file));
  }
}
