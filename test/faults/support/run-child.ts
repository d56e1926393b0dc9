import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program of its own, and what it prints. */
export interface RunningChild {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** Its lines as they come. */
  readonly lines: AsyncIterator<string>;
  /** Resolves when it has ended and all its lines are here. */
  readonly ended: Promise<unknown>;
}

/** Runs a program of this folder. */
export function runChild(name: string, ...args: string[]): RunningChild {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", file, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  return { process: child, ended, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

/** The lines that are still to come. */
export async function restOf(lines: AsyncIterator<string>): Promise<string[]> {
  const all: string[] = [];
  for (let line = await lines.next(); line.done !== true; line = await lines.next()) all.push(line.value);
  return all;
}
