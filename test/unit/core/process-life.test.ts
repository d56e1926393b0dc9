import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { holdProcess } from "../../../src/util/process-hold.js";

const program = fileURLToPath(new URL("./support/life-child.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "kvasir-life-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Child {
  readonly process: ChildProcess;
  readonly lines: AsyncIterator<string>;
  readonly exited: Promise<unknown[]>;
}

function start(mode: string, target: string): Child {
  const child = spawn(process.execPath, ["--import", "tsx", program, mode, target], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { process: child, lines, exited: once(child, "exit") };
}

async function line(child: Child): Promise<string | undefined> {
  return (await child.lines.next()).value as string | undefined;
}

const targets = (name: string): string[] => [`memory:${name}`, `bolt:${join(folder, `${name}.db`)}`];

it.each(["watch", "lock"].flatMap((mode) => targets(mode).map((target) => ({ mode, target }))))(
  "a $mode on $target keeps the program alive until it is over, and then lets it go",
  { timeout: 30_000 },
  async ({ mode, target }) => {
    const child = start(mode, target);
    expect(await line(child)).toBe("waiting");
    // That something does not happen can only be seen by letting time pass.
    await sleep(400);
    expect(child.process.exitCode).toBeNull();
    child.process.kill("SIGUSR2");
    expect(await line(child)).toBe("left");
    expect(await line(child), "nothing is left open").toBe("[]");
    expect(await child.exited).toEqual([0, null]);
  },
);

it.each(targets("everything"))(
  "closing %s ends watches, locks, waits and kept keys, and the program by itself",
  { timeout: 30_000 },
  async (target) => {
    const child = start("everything", target);
    expect(await line(child)).toBe("waiting");
    expect(await line(child)).toBe("ended");
    expect(await line(child)).toBe("left");
    expect(await line(child)).toBe("[]");
    expect(await child.exited).toEqual([0, null]);
  },
);

it("holds of the process are counted, and each counts once", () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === "Timeout").length;
  const before = timers();
  const [first, second] = [holdProcess(), holdProcess()];
  expect(timers()).toBe(before + 1);
  first();
  first();
  expect(timers()).toBe(before + 1);
  second();
  expect(timers()).toBe(before);
});
