import { accessSync, constants, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { isAlive } from "./file-lock.js";

/** Where a server keeps its data: "memory" is a RAM disk where the machine has one with room, otherwise the disk. */
export type Storage = "memory" | "disk";

/** etcd reserves 64 MB per log segment, and a cluster has three of them. */
const neededBytes = 2 * 1024 ** 3;
const ramDisk = "/dev/shm";
const prefix = "kvasir-test-";
const created = new Set<string>();
let swept = false;

process.on("exit", () => {
  for (const folder of created) removeDataFolder(folder);
});

/**
 * A new, empty folder for one server. Its name holds this process's id, by which folders that a killed test process
 * left behind are found and removed.
 */
export function createDataFolder(name: string, storage: Storage): string {
  const parents = [os.tmpdir(), ...(hasRoom(ramDisk) ? [ramDisk] : [])];
  if (!swept) for (const parent of parents) removeLeftovers(parent);
  swept = true;
  const parent = storage === "disk" ? os.tmpdir() : parents.at(-1)!;
  const folder = mkdtempSync(path.join(parent, `${prefix}${process.pid}-${name}-`));
  created.add(folder);
  return folder;
}

/** Removes a folder made by `createDataFolder`. Synchronous, as it is also called when the process exits. */
export function removeDataFolder(folder: string): void {
  created.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (!Number.isNaN(owner) && !isAlive(owner)) removeDataFolder(path.join(parent, name));
  }
}

function hasRoom(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= neededBytes;
  } catch {
    return false;
  }
}
