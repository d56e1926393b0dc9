import { readFileSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { type AptSource, readAptSources } from "./apt-sources.js";
import { withFileLock } from "./file-lock.js";
import { cacheFolder } from "./paths.js";
import { findOnPath, runCommand } from "./run-command.js";

/** Which packages to fetch from which Debian suite. */
export interface AptRequest {
  /** For example "bookworm". The mirror is the one the machine's apt uses; only the suite is added. */
  suite: string;
  package: string;
  /** Which packages of the dependency closure are wanted too; none by default, as the machine has its own libc. */
  dependencies?: ((name: string) => boolean) | undefined;
}

/**
 * Downloads packages with the machine's apt into the cache, unpacks them there, and returns the folder that holds their
 * files (`usr/bin/...`). Nothing is installed, and apt's own state is not touched: it gets a private one in the cache.
 * The second call, in this process or another, finds the folder and returns at once.
 */
export async function unpackFromApt(request: AptRequest): Promise<string> {
  const folder = path.join(cacheFolder, request.suite, request.package);
  if (await exists(folder)) return folder;
  const source = machineMirror();
  return withFileLock(path.join(cacheFolder, `${request.suite}.lock`), async () => {
    if (await exists(folder)) return folder;
    const work = await fs.mkdtemp(path.join(cacheFolder, `${request.suite}-${request.package}-`));
    try {
      await downloadAndUnpack(request, source, work);
      await fs.mkdir(path.dirname(folder), { recursive: true });
      await fs.rename(path.join(work, "root"), folder).catch(async (error: unknown) => {
        if (!(await exists(folder))) throw error; // Another process was first, which is as good.
      });
    } finally {
      await fs.rm(work, { recursive: true, force: true });
    }
    return folder;
  });
}

async function downloadAndUnpack(request: AptRequest, source: AptSource, work: string): Promise<void> {
  const configuration = await writeConfiguration(request.suite, source, work);
  const apt = (...args: string[]) => runCommand("apt-get", ["-c", configuration, "-qq", ...args], { cwd: work });
  await apt("update");
  const packages = [request.package];
  if (request.dependencies !== undefined) {
    const { stdout } = await apt("install", "--print-uris", "--yes", "--no-install-recommends", request.package);
    packages.push(...packageNames(stdout).filter((name) => name !== request.package && request.dependencies!(name)));
  }
  await apt("download", ...packages);

  const root = path.join(work, "root");
  await fs.mkdir(root);
  for (const file of await fs.readdir(work)) {
    if (file.endsWith(".deb")) await runCommand("dpkg", ["-x", path.join(work, file), root]);
  }
  await redirectAbsoluteLinks(root);
}

/** Lines of `--print-uris` are `'uri' name_version_architecture.deb size checksum`. */
function packageNames(printedUris: string): string[] {
  return [...printedUris.matchAll(/^'[^']+' ([^_ ]+)_\S+\.deb /gm)].map((match) => match[1]!);
}

/**
 * A configuration read after the machine's own (proxies and keys stay), with private folders, one source, and without
 * the hooks that other programs put on the machine's updates.
 */
async function writeConfiguration(suite: string, source: AptSource, work: string): Promise<string> {
  const state = path.join(work, "apt");
  await fs.mkdir(path.join(state, "lists", "partial"), { recursive: true });
  await fs.mkdir(path.join(state, "archives", "partial"), { recursive: true });
  await fs.writeFile(path.join(state, "status"), "");
  const sourcesFile = path.join(state, "suite.sources");
  const signedBy = source.signedBy === undefined ? "" : `Signed-By: ${source.signedBy}\n`;
  await fs.writeFile(sourcesFile, `Types: deb\nURIs: ${source.uri}\nSuites: ${suite}\nComponents: main\n${signedBy}`);
  const file = path.join(state, "apt.conf");
  await fs.writeFile(
    file,
    [
      "#clear APT::Update::Pre-Invoke;",
      "#clear APT::Update::Post-Invoke;",
      "#clear APT::Update::Post-Invoke-Success;",
      "#clear DPkg;",
      `Dir::State "${state}";`,
      `Dir::State::status "${path.join(state, "status")}";`,
      `Dir::Cache "${state}";`,
      `Dir::Etc::sourcelist "${sourcesFile}";`,
      `Dir::Etc::sourceparts "${path.join(state, "none")}";`,
      `Dir::Etc::preferencesparts "${path.join(state, "none")}";`,
      // The folders belong to whoever runs the tests, so apt must not switch to its own user to write in them.
      `APT::Sandbox::User "";`,
      `APT::Get::List-Cleanup "false";`,
      `Acquire::Languages "none";`,
      `Acquire::Retries "3";`,
      "",
    ].join("\n"),
  );
  return file;
}

/** The machine's main archive: the one that carries the release the machine runs. */
function machineMirror(): AptSource {
  for (const tool of ["apt-get", "dpkg"]) {
    if (findOnPath(tool) === undefined)
      throw new Error(`this machine has no ${tool}, so it is not of the Debian family`);
  }
  const release = readFileSync("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME="?([^"\n]+)/m.exec(release)?.[1] ?? "";
  const sources = readAptSources().filter((source) => source.components.includes("main"));
  const source = sources.find((each) => each.suites.includes(codename)) ?? sources[0];
  if (source === undefined) throw new Error("no archive with a main component in /etc/apt/sources.list(.d)");
  return source;
}

/** Packages link to /etc and /usr by absolute paths; in the unpacked folder these must lead to its own files. */
async function redirectAbsoluteLinks(root: string): Promise<void> {
  for (const entry of await fs.readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = path.join(entry.parentPath, entry.name);
    const target = await fs.readlink(link);
    if (!path.isAbsolute(target) || target.startsWith(root)) continue;
    await fs.rm(link);
    await fs.symlink(path.relative(path.dirname(link), path.join(root, target)), link);
  }
}

async function exists(file: string): Promise<boolean> {
  return fs.access(file).then(
    () => true,
    () => false,
  );
}
