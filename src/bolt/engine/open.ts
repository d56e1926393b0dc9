import fs from "node:fs";
import { createDatabase, isUnfinished } from "./create-file.js";
import { LockedFile, PrivateFile, readNewestMeta } from "./database-file.js";
import { DB } from "./db.js";
import { EngineError } from "./errors.js";
import { type OpenOptions, resolveOptions } from "./options.js";
import type { Storage } from "./storage.js";

/**
 * Opens a BoltDB file, or creates it. Throws an `EngineError`: FILE_LOCKED after `timeoutMs`, CORRUPT when it is not a
 * sound BoltDB file, NOT_FOUND, IO.
 */
export async function open(path: string, options?: OpenOptions): Promise<DB> {
  const resolved = resolveOptions(options);
  const { file, meta } = await LockedFile.open(path, resolved);
  return new DB(file, meta, resolved, createTarget);
}

/** Opens a database in storage of one's own: memory, or a test's. It is not locked. */
export async function openStorage(storage: Storage, options?: OpenOptions): Promise<DB> {
  const resolved = resolveOptions(options);
  if (!resolved.readOnly && isUnfinished(storage, resolved.pageSize)) await createDatabase(storage, resolved);
  const file = new PrivateFile(storage, resolved.readOnly);
  return new DB(file, readNewestMeta(storage), resolved, createTarget);
}

/** An empty database for compaction to fill; refuses to write over a file that is there. */
async function createTarget(path: string, pageSize: number): Promise<DB> {
  if (fs.existsSync(path)) {
    throw new EngineError("INVALID_ARGUMENT", `${path}: exists already; compact into a new file`, { path });
  }
  return open(path, { pageSize, fillPercent: 1, noSync: true, timeoutMs: 0 });
}
