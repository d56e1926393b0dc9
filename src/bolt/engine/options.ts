import { EngineError } from "./errors.js";
import { isPageSize } from "./meta.js";

/** How a database is opened. */
export interface OpenOptions {
  /** Only read, under a shared lock. Default false. */
  readOnly?: boolean | undefined;
  /** Create the file when it is not there. Default true; never when `readOnly`. */
  create?: boolean | undefined;
  /** Permissions of a new file. Default 0o600. */
  mode?: number | undefined;
  /** How long to wait for the file's lock, in milliseconds; then FILE_LOCKED. Default 5,000; 0 tries once. */
  timeoutMs?: number | undefined;
  /** For a new file: 1,024 to 65,536, a power of two. Default 4,096. An existing file says it itself. */
  pageSize?: number | undefined;
  /** Make a new file at least this large, in bytes, so that it need not grow step by step. Default 0. */
  initialSize?: number | undefined;
  /** Do not store the freelist: commits write less, and the first write after opening walks the file. Default false. */
  noFreelistSync?: boolean | undefined;
  /** Do not sync: a power failure may then damage the file. For bulk loads that can be repeated. Default false. */
  noSync?: boolean | undefined;
  /** How full pages are made when they split, 0.1 to 1. Default 0.5, and 1 where a transaction adds keys in order. */
  fillPercent?: number | undefined;
  /** How much of the file to keep in memory, in bytes. Default 64 MiB. */
  cacheBytes?: number | undefined;
  /**
   * `"hold"` keeps the file's lock while open. `"manual"` takes it only between `acquire()` and `release()`, so that
   * several processes use one file in turn. Default `"hold"`.
   */
  lock?: "hold" | "manual" | undefined;
  /**
   * Without the native lock (the optional package koffi): `"readOnly"` opens to read and says so in `db.notice`, `"fail"`
   * throws, `"ignore"` goes on without a lock, for a file that no other program touches. Default `"readOnly"`.
   */
  withoutNativeLock?: "readOnly" | "fail" | "ignore" | undefined;
}

/** The options with their defaults, checked. */
export interface ResolvedOptions {
  readonly readOnly: boolean;
  readonly create: boolean;
  readonly mode: number;
  readonly timeoutMs: number;
  readonly pageSize: number;
  readonly initialSize: number;
  readonly noFreelistSync: boolean;
  readonly noSync: boolean;
  readonly fillPercent: number | undefined;
  readonly cacheBytes: number;
  readonly lock: "hold" | "manual";
  readonly withoutNativeLock: "readOnly" | "fail" | "ignore";
}

export function resolveOptions(options: OpenOptions = {}): ResolvedOptions {
  const resolved: ResolvedOptions = {
    readOnly: options.readOnly ?? false,
    create: (options.create ?? true) && !options.readOnly,
    mode: options.mode ?? 0o600,
    timeoutMs: options.timeoutMs ?? 5_000,
    pageSize: options.pageSize ?? 4_096,
    initialSize: options.initialSize ?? 0,
    noFreelistSync: options.noFreelistSync ?? false,
    noSync: options.noSync ?? false,
    fillPercent: options.fillPercent,
    cacheBytes: options.cacheBytes ?? 64 * 1024 * 1024,
    lock: options.lock ?? "hold",
    withoutNativeLock: options.withoutNativeLock ?? "readOnly",
  };
  const { pageSize, fillPercent, timeoutMs, cacheBytes, initialSize } = resolved;
  if (!isPageSize(pageSize)) throw invalid(`pageSize must be a power of two from 1024 to 65536, not ${pageSize}`);
  if (fillPercent !== undefined && !(fillPercent >= 0.1 && fillPercent <= 1))
    throw invalid(`fillPercent must be from 0.1 to 1, not ${fillPercent}`);
  if (!(timeoutMs >= 0)) throw invalid(`timeoutMs must not be negative, not ${timeoutMs}`);
  if (!(cacheBytes >= 0)) throw invalid(`cacheBytes must not be negative, not ${cacheBytes}`);
  if (!Number.isSafeInteger(initialSize) || initialSize < 0) throw invalid("initialSize must be a number of bytes");
  return resolved;
}

function invalid(reason: string): EngineError {
  return new EngineError("INVALID_ARGUMENT", reason);
}
