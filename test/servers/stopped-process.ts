import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { open } from "../../src/bolt/engine/index.js";

/**
 * The signal is on its way when `kill` returns: a thread on another core may still answer a request. On Linux each
 * thread's state can be read; elsewhere there is nothing to look at.
 */
export function waitUntilStopped(pid: number): void {
  const threads = `/proc/${pid}/task`;
  const deadline = performance.now() + 2_000;
  const runs = (thread: string): boolean => {
    const stat = readFileSync(`${threads}/${thread}/stat`, "utf8");
    return !/^[Tt] /.test(stat.slice(stat.lastIndexOf(")") + 2));
  };
  while (existsSync(threads) && performance.now() < deadline) {
    try {
      if (!readdirSync(threads).some(runs)) return;
    } catch {
      // A thread ended between the listing and the reading: look again.
    }
  }
}

/**
 * Stops a process that shares a BoltDB file, at a moment when it does not hold the file's lock: stopped with it, it would
 * keep everybody out, for a lock that the kernel gives ends with its holder only. On other stores it is just stopped.
 */
export async function stopProcess(child: ChildProcess, url: string): Promise<void> {
  const file = /^bolt:([^?]+)/.exec(url)?.[1];
  if (file === undefined) {
    child.kill("SIGSTOP");
    return;
  }
  const db = await open(file, { lock: "manual", timeoutMs: 10_000 });
  try {
    await db.acquire("exclusive");
    child.kill("SIGSTOP");
    waitUntilStopped(child.pid!);
    db.release();
  } finally {
    await db.close();
  }
}
