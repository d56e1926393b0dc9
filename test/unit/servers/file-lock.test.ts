import { spawnSync } from "node:child_process";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { withFileLock } from "../../servers/file-lock.js";
import { claimPort, claimPorts, releasePort } from "../../servers/ports.js";

let folder: string;

beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "kvasir-file-lock-"));
});

afterEach(() => fs.rm(folder, { recursive: true, force: true }));

it("lets one in at a time, and leaves nothing behind", async () => {
  const file = path.join(folder, "deeper", "x.lock");
  let inside = 0;
  const most: number[] = [];
  const visit = () =>
    withFileLock(file, async () => {
      most.push(++inside);
      await fs.readdir(folder);
      inside--;
    });
  await Promise.all([visit(), visit(), visit()]);
  expect(most).toEqual([1, 1, 1]);
  await expect(withFileLock(file, () => Promise.reject(new Error("work failed")))).rejects.toThrow("work failed");
  expect(await fs.readdir(path.dirname(file))).toEqual([]);
});

it("takes over the lock of a process that is gone", async () => {
  const file = path.join(folder, "x.lock");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  await fs.writeFile(file, `${pid}\n`);
  expect(await withFileLock(file, async () => "mine")).toBe("mine");
});

it("claims different ports below those of outgoing connections", async () => {
  const ports = await claimPorts(50);
  expect(new Set(ports).size).toBe(50);
  for (const port of ports) releasePort(port);
  const port = await claimPort();
  expect(port).toBeGreaterThanOrEqual(12_000);
  expect(port).toBeLessThan(32_000);
  releasePort(port);
});
