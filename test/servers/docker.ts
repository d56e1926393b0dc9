import { createHash } from "node:crypto";
import { withFileLock } from "./file-lock.js";
import { cacheFolder } from "./paths.js";
import path from "node:path";
import { runCommand } from "./run-command.js";

/**
 * A Docker image with Debian packages of one suite, built once: the very servers that the apt way unpacks, for machines
 * that are not of the Debian family. Throws when no engine answers.
 *
 * Containers run with the host's network and with the data folder mounted at its own path, so that everything else
 * works as for a process. This way was written without an engine at hand and has not been run; on Docker Desktop host
 * networking has to be switched on.
 */
export async function debianImage(suite: string, packages: readonly string[]): Promise<string> {
  await runCommand("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutMs: 10_000 });
  const recipe = `FROM debian:${suite}-slim
RUN apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")} && rm -rf /var/lib/apt/lists/*
`;
  const tag = `kvasir-test-${suite}:${createHash("sha256").update(recipe).digest("hex").slice(0, 12)}`;
  await withFileLock(path.join(cacheFolder, `docker-${suite}.lock`), async () => {
    const { stdout } = await runCommand("docker", ["images", "--quiet", tag]);
    if (stdout.trim() !== "") return;
    await runCommand("sh", ["-c", 'printf %s "$1" | docker build --tag "$2" -', "sh", recipe, tag]);
  });
  return tag;
}

/** The command line that runs a program of an image as a container of this name. */
export function dockerRun(
  name: string,
  image: string,
  mounts: readonly string[],
  command: readonly string[],
): string[] {
  const user = process.getuid === undefined ? [] : ["--user", `${process.getuid()}:${process.getgid?.() ?? 0}`];
  const volumes = mounts.flatMap((folder) => ["--volume", `${folder}:${folder}`]);
  return ["docker", "run", "--rm", "--name", name, "--network", "host", ...user, ...volumes, image, ...command];
}
