import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { isAlive } from "./file-lock.js";

/** Below the ports that systems hand out to outgoing connections (32768 on Linux, 49152 elsewhere). */
const lowest = 12_000;
const highest = 31_999;

/**
 * One file per claimed port, holding its owner's process id: a server that is down keeps its port for its restart. A
 * folder for each user, as one user's files cannot be removed by another.
 */
const claims = path.join(os.tmpdir(), `kvasir-test-ports-${os.userInfo().uid}`);
const mine = new Set<number>();

process.on("exit", () => {
  for (const port of mine) rmSync(claimFile(port), { force: true });
  rmSync(ownerFile(), { force: true });
});

/** Claims a free port of 127.0.0.1 for this process, also against other test processes. */
export async function claimPort(): Promise<number> {
  mkdirSync(claims, { recursive: true });
  for (let attempt = 0; attempt < 1000; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (!tryClaim(port)) continue;
    if (await isFree(port)) return port;
    releasePort(port);
  }
  throw new Error(`no free port on 127.0.0.1 between ${lowest} and ${highest}`);
}

/** Several at once. */
export async function claimPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await claimPort());
  return ports;
}

/** Gives a claimed port back. */
export function releasePort(port: number): void {
  mine.delete(port);
  rmSync(claimFile(port), { force: true });
}

function claimFile(port: number): string {
  return path.join(claims, String(port));
}

function ownerFile(): string {
  return path.join(claims, `pid-${process.pid}`);
}

/** A hard link to a file that is already written: the claim appears together with its owner's id. */
function tryClaim(port: number): boolean {
  writeFileSync(ownerFile(), `${process.pid}\n`);
  try {
    linkSync(ownerFile(), claimFile(port));
    mine.add(port);
    return true;
  } catch {
    return takeOverStale(port);
  }
}

/** A claim of a process that is gone is removed; the port itself is left for a later draw, which settles any race. */
function takeOverStale(port: number): false {
  try {
    const owner = Number.parseInt(readFileSync(claimFile(port), "utf8"), 10);
    if (!Number.isNaN(owner) && !isAlive(owner)) releasePort(port);
  } catch {
    // Released meanwhile.
  }
  return false;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
