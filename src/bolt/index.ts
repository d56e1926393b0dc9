import { invalid } from "../core/arguments.js";
import type { StoreOptions } from "../core/options.js";
import type { StoreUrl } from "../core/store-url.js";
import { BoltFile, type FileOptions } from "./bolt-file.js";
import { BoltDriver } from "./driver.js";
import { storeError } from "./errors.js";
import { BoltStore } from "./store.js";

export type { BackupOptions } from "./store.js";
export { BoltStore } from "./store.js";

/** How to open a store on a bbolt file. */
export interface BoltOptions extends StoreOptions {
  /** The file; created when it is not there, its folder is not. */
  path: string;
  /** The bucket that holds the pairs. Default `kvasir`. */
  bucket?: string | undefined;
  /**
   * Open and lock the file for each batch only, so that several processes, Go's too, can use it. Default false: the file
   * stays open and locked.
   */
  shared?: boolean | undefined;
  /** Only read. Default false. */
  readOnly?: boolean | undefined;
  /** For a new file, in bytes: a power of two from 1,024 to 65,536. Default 4,096. */
  pageSize?: number | undefined;
  /** How much of the file to keep in memory, in bytes. Default 64 MiB. */
  cacheBytes?: number | undefined;
  /** Do not store the freelist: commits write less, opening to write reads more. Default false. */
  noFreelistSync?: boolean | undefined;
  /**
   * What to do where `flock(2)` cannot be called (the optional package koffi is missing): `readOnly`, the default, opens
   * to read only; `fail` rejects; `ignore` goes on without a lock, for a file that no other program touches.
   */
  withoutNativeLock?: FileOptions["withoutNativeLock"];
}

/**
 * Opens a store on a bbolt file. Waits at most `connectTimeoutMs` for a file that another process has locked, then
 * rejects with `FILE_LOCKED`; `CORRUPT` when the file is damaged.
 */
export async function connectBolt(options: BoltOptions): Promise<BoltStore> {
  const {
    path,
    bucket = "kvasir",
    shared,
    readOnly,
    pageSize,
    cacheBytes,
    noFreelistSync,
    withoutNativeLock,
  } = options;
  if (typeof path !== "string" || path === "") throw invalid("a bolt store needs the path of its file");
  if (typeof bucket !== "string" || bucket === "") throw invalid("bucket is the name of a bucket, not an empty one");
  const timeoutMs = options.connectTimeoutMs ?? 5_000;
  const fileOptions = { shared, readOnly, pageSize, cacheBytes, noFreelistSync, withoutNativeLock, timeoutMs };
  try {
    const file = await BoltFile.open(path, fileOptions);
    try {
      const session = await file.session(bucket, { deadline: file.clocks.clock.now() + timeoutMs });
      return new BoltStore(new BoltDriver(file, session), file, options);
    } catch (error) {
      await file.leave();
      throw error;
    }
  } catch (error) {
    throw storeError(error, path, false);
  }
}

/** `bolt:./path/app.db?bucket=kvasir&shared=true`, or with slashes: the options that a URL names. */
export function boltOptionsFromUrl(url: StoreUrl): BoltOptions {
  return {
    // A file has no host: in bolt://./app.db and bolt://data/app.db what stands there is the path's beginning.
    path: [...url.hosts, ...(url.path === "" ? [] : [url.path])].join("/"),
    bucket: url.text("bucket"),
    shared: url.flag("shared"),
    readOnly: url.flag("readOnly"),
    pageSize: url.number("pageSize"),
    cacheBytes: url.number("cacheBytes"),
    noFreelistSync: url.flag("noFreelistSync"),
  };
}
