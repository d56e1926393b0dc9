import fs from "node:fs/promises";
import path from "node:path";
import { sleep } from "../../src/util/sleep.js";

/**
 * Runs `work` while holding `file` as a lock between processes, so that two test processes do not download the same
 * package at once. The file holds its owner's process id: a lock whose owner died is taken over.
 */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await fs.mkdir(path.dirname(file), { recursive: true });
  while (!(await tryLock(file))) {
    await removeIfStale(file);
    await sleep(100);
  }
  try {
    return await work();
  } finally {
    await fs.rm(file, { force: true });
  }
}

/** A hard link appears with its content at once, which a file created and then written does not. */
async function tryLock(file: string): Promise<boolean> {
  const mine = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await fs.writeFile(mine, `${process.pid}\n`);
  try {
    await fs.link(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    await fs.rm(mine, { force: true });
  }
}

/** Renamed before it is removed, so that of two processes that find a stale lock only one takes it away. */
async function removeIfStale(file: string): Promise<void> {
  const owner = Number.parseInt(await fs.readFile(file, "utf8").catch(() => ""), 10);
  if (Number.isNaN(owner) || isAlive(owner)) return;
  const grave = `${file}.stale.${owner}`;
  await fs.rename(file, grave).catch(() => undefined);
  await fs.rm(grave, { force: true });
}

/** Whether a process with this id exists on this machine. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
