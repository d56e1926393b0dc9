import { existsSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { unpackFromApt } from "./apt.js";
import { findOnPath, runCommand } from "./run-command.js";

/** The Debian suite whose Java runtime is unpacked where the machine has none. */
const suite = "bookworm";

/** The `java` program: of JAVA_HOME, on PATH, or unpacked from Debian. Throws with the reason of each that failed. */
export async function findJava(): Promise<string> {
  const reasons: string[] = [];
  const home = process.env["JAVA_HOME"];
  for (const file of [home === undefined ? undefined : path.join(home, "bin/java"), findOnPath("java")]) {
    if (file === undefined) continue;
    // macOS has a `java` that only says that there is no Java, so it has to be tried.
    try {
      await runCommand(file, ["-version"], { timeoutMs: 30_000 });
      return file;
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  try {
    return await unpackJava();
  } catch (error) {
    throw new Error(["no Java runtime", ...reasons, (error as Error).message].join("; "), { cause: error });
  }
}

async function unpackJava(): Promise<string> {
  const root = await unpackFromApt({
    suite,
    package: "default-jre-headless",
    dependencies: (name) => /^openjdk-\d+-jre-headless$/.test(name),
  });
  const machines = path.join(root, "usr/lib/jvm");
  for (const name of await fs.readdir(machines)) {
    const file = path.join(machines, name, "bin/java");
    if (/^java-\d+-openjdk/.test(name) && existsSync(file)) return file;
  }
  throw new Error(`no java program in ${machines}`);
}
