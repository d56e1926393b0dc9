/** BoltDB files (bbolt's format, version 2) in TypeScript: the engine under Kvasir's Bolt store, usable alone. */
export type { Bucket } from "./bucket.js";
export type { BucketStats } from "./bucket-stats.js";
export type { CheckProblem } from "./check.js";
export type { CompactOptions, CompactResult } from "./compact.js";
export type { Cursor } from "./cursor.js";
export type { DB } from "./db.js";
export type { DBStats } from "./db-stats.js";
export { type CommitOutcome, EngineError, type EngineErrorCode, type EngineErrorDetails } from "./errors.js";
export { type FaultCode, FaultStorage, type StorageOperation } from "./fault-storage.js";
export { FileStorage } from "./file-storage.js";
export type { LockMode } from "./lock.js";
export { MemoryStorage } from "./memory-storage.js";
export { open, openStorage } from "./open.js";
export type { OpenOptions } from "./options.js";
export type { Storage } from "./storage.js";
export type { Tx, WriteTx } from "./tx.js";
