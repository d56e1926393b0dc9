import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

function contents(folder: string): Record<string, string> {
  return Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
}

it("the committed code is what the message definitions generate", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "kvasir-proto-"));
  try {
    execFileSync(process.execPath, [path.join(root, "scripts/generate-proto.mjs"), folder]);
    expect(contents(folder)).toEqual(contents(path.join(root, "src/etcd/client/generated")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
