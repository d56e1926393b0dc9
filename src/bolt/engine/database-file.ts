import fs from "node:fs";
import { dirname } from "node:path";
import { createDatabase, isUnfinished } from "./create-file.js";
import { corruptPage, EngineError, messageOf } from "./errors.js";
import { FileStorage } from "./file-storage.js";
import { type LockMode, loadNativeLock, lockFile, type NativeLock, unlockFile } from "./lock.js";
import { findMeta, type Meta } from "./meta.js";
import type { ResolvedOptions } from "./options.js";
import type { Storage } from "./storage.js";

export interface AcquireOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** The storage under a database, and the lock on it. */
export interface DatabaseFile {
  readonly storage: Storage;
  readonly readOnly: boolean;
  /** Why it was opened differently than asked for. */
  readonly notice: string | undefined;
  /** Whether the lock is held in this mode or a stronger one. */
  isLocked(mode: LockMode): boolean;
  /** Throws NOT_LOCKED unless it is. */
  assertLocked(mode: LockMode): void;
  /** Takes the lock and reads the newest meta page; `replaced` when the path names another file by now. */
  acquire(mode: LockMode, options: AcquireOptions): Promise<{ meta: Meta; replaced: boolean }>;
  release(): void;
  close(): void;
}

/** Storage that nobody else can open: memory, or a test's. */
export class PrivateFile implements DatabaseFile {
  readonly storage: Storage;
  readonly readOnly: boolean;
  readonly notice = undefined;

  constructor(storage: Storage, readOnly: boolean) {
    this.storage = storage;
    this.readOnly = readOnly;
  }

  isLocked(): boolean {
    return true;
  }

  assertLocked(): void {}

  async acquire(): Promise<{ meta: Meta; replaced: boolean }> {
    return { meta: readNewestMeta(this.storage), replaced: false };
  }

  release(): void {}

  close(): void {
    this.storage.close();
  }
}

/** A file on disk under flock(2). */
export class LockedFile implements DatabaseFile {
  readonly readOnly: boolean;
  readonly notice: string | undefined;
  readonly #path: string;
  readonly #options: ResolvedOptions;
  readonly #native: NativeLock | undefined;
  #storage: FileStorage;
  #held: LockMode | undefined;

  private constructor(path: string, options: ResolvedOptions, native: NativeLock | string) {
    this.#path = path;
    this.#native = typeof native === "string" ? undefined : native;
    if (typeof native === "string" && options.withoutNativeLock === "fail") {
      throw new EngineError("FILE_LOCKED", `${path}: cannot be locked: ${native}`, { path });
    }
    const fallsBack = typeof native === "string" && options.withoutNativeLock === "readOnly" && !options.readOnly;
    this.readOnly = options.readOnly || fallsBack;
    this.notice = fallsBack ? `opened read-only: ${native}` : undefined;
    this.#options = options;
    this.#storage = this.#openStorage();
  }

  /** Opens the file, locks it and, where it is new, fills it. */
  static async open(path: string, options: ResolvedOptions): Promise<{ file: LockedFile; meta: Meta }> {
    const file = new LockedFile(path, options, await loadNativeLock());
    try {
      const { meta } = await file.acquire(file.readOnly ? "shared" : "exclusive", options);
      if (options.lock === "manual") file.release();
      return { file, meta };
    } catch (thrown) {
      file.close();
      throw thrown;
    }
  }

  get storage(): FileStorage {
    return this.#storage;
  }

  isLocked(mode: LockMode): boolean {
    return this.#held === "exclusive" || this.#held === mode;
  }

  assertLocked(mode: LockMode): void {
    if (this.isLocked(mode)) return;
    const message = `${this.#path}: take the ${mode} lock with acquire("${mode}") first`;
    throw new EngineError("NOT_LOCKED", message, { path: this.#path });
  }

  async acquire(mode: LockMode, options: AcquireOptions): Promise<{ meta: Meta; replaced: boolean }> {
    const path = this.#path;
    if (this.#held)
      throw new EngineError("INVALID_ARGUMENT", `${path}: the lock is held already; release() it`, { path });
    if (mode === "exclusive" && this.readOnly)
      throw new EngineError("READ_ONLY", `${path}: opened read-only`, { path });
    let replaced = false;
    for (;;) {
      if (this.#native) await lockFile(this.#native, this.#storage, mode, options);
      if (this.#isCurrent()) break;
      // Another program put a new file in this place, a compacted one for example: the lock belongs on that one.
      this.#storage.close();
      this.#storage = this.#openStorage();
      replaced = true;
    }
    this.#held = mode;
    try {
      if (!this.readOnly && isUnfinished(this.#storage, this.#options.pageSize)) await this.#fill();
      return { meta: readNewestMeta(this.#storage), replaced };
    } catch (thrown) {
      this.release();
      throw thrown;
    }
  }

  release(): void {
    if (this.#held && this.#native) unlockFile(this.#native, this.#storage);
    this.#held = undefined;
  }

  /** Closing the descriptor lets go of the lock too. */
  close(): void {
    this.#held = undefined;
    this.#storage.close();
  }

  #openStorage(): FileStorage {
    const { create, mode } = this.#options;
    const path = this.#path;
    try {
      return FileStorage.open(path, { readOnly: this.readOnly, create: create && !this.readOnly, mode });
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
      const message = missing
        ? `${path}: there is no such file or folder`
        : `${path}: cannot open: ${messageOf(cause)}`;
      throw new EngineError(missing ? "NOT_FOUND" : "IO", message, { path, cause });
    }
  }

  /** Whether the open file is still the one that the path names. */
  #isCurrent(): boolean {
    const named = fs.statSync(this.#path, { throwIfNoEntry: false });
    const open = fs.fstatSync(this.#storage.descriptor);
    return named !== undefined && named.ino === open.ino && named.dev === open.dev;
  }

  /** A new file: its name must survive a power failure as well, which takes a sync of the folder. */
  async #fill(): Promise<void> {
    await createDatabase(this.#storage, this.#options);
    const folder = await fs.promises.open(dirname(this.#path), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}

/** The newest sound meta page of a storage. */
export function readNewestMeta(storage: Storage): Meta {
  const { path } = storage;
  if (storage.size() === 0) throw new EngineError("CORRUPT", `${path}: the file is empty`, { path, pageId: 0 });
  const meta = findMeta(path, (offset, into) => storage.read(offset, into));
  const size = storage.size();
  if (meta.highWater * meta.pageSize <= size) return meta;
  throw corruptPage(path, Math.floor(size / meta.pageSize), "lies past the file's end: the file was cut short");
}
