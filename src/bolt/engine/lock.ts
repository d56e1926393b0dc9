import { sleep } from "../../util/sleep.js";
import { EngineError, messageOf } from "./errors.js";

/** flock(2)'s operations. */
const shared = 1;
const exclusive = 2;
const nonBlocking = 4;
const unlock = 8;

const longestPauseMs = 25;

export type LockMode = "shared" | "exclusive";

interface NativeLock {
  /** flock(2): 0, or -1 with errno set. */
  flock(descriptor: number, operation: number): number;
  errno(): number;
  /** What errno says when another holds the lock. */
  readonly wouldBlock: number;
}

let loading: Promise<NativeLock | string> | undefined;

/** The native call, or why it is not there. Loaded once, when first needed. */
export function loadNativeLock(): Promise<NativeLock | string> {
  loading ??= load();
  return loading;
}

async function load(): Promise<NativeLock | string> {
  if (process.platform === "win32") return "flock(2) does not exist on Windows";
  try {
    const { default: koffi } = await import("koffi");
    const library = koffi.load(process.platform === "darwin" ? "libSystem.dylib" : null);
    const flock = library.func("int flock(int fd, int operation)");
    return { flock, errno: () => koffi.errno(), wouldBlock: koffi.os.errno["EWOULDBLOCK"]! };
  } catch (thrown) {
    return `the optional package koffi, which calls flock(2), cannot be loaded: ${messageOf(thrown)}`;
  }
}

/**
 * Takes flock(2) on an open file, as bbolt does, trying again until `timeoutMs` is over. Throws FILE_LOCKED, or the
 * signal's reason.
 */
export async function lockFile(
  native: NativeLock,
  file: { path: string; descriptor: number },
  mode: LockMode,
  options: { timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const { timeoutMs, signal } = options;
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    signal?.throwIfAborted();
    if (native.flock(file.descriptor, (mode === "shared" ? shared : exclusive) | nonBlocking) === 0) return;
    const errno = native.errno();
    const { path } = file;
    if (errno !== native.wouldBlock) throw new EngineError("IO", `${path}: flock failed with errno ${errno}`, { path });
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) {
      const message = `${path}: another process or handle holds the file's lock (waited ${timeoutMs} ms)`;
      throw new EngineError("FILE_LOCKED", `${message}; close it there, or give a longer timeoutMs`, { path });
    }
    await sleep(Math.min(pauseMs, leftMs), { signal });
  }
}

/** Lets go of the lock. Closing the file does so too. */
export function unlockFile(native: NativeLock, file: { descriptor: number }): void {
  native.flock(file.descriptor, unlock);
}

export type { NativeLock };
