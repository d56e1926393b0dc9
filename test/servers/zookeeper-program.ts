import { existsSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { unpackFromApt } from "./apt.js";
import { debianImage } from "./docker.js";
import { findJava } from "./java.js";
import { locateProgram, type Program } from "./program.js";
import { findRelease, isVersion, type Release, zookeeperReleases } from "./releases.js";
import { findOnPath } from "./run-command.js";
import { checkMinor } from "./ways.js";

const mainClass = "org.apache.zookeeper.server.quorum.QuorumPeerMain";

/** Small and quick to start: a test server lives for seconds, so compiling hot code well would never pay. */
const javaOptions = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];

/** ZooKeeper of a version, as a Java command that still lacks its system properties, main class and configuration. */
export function findZooKeeper(version?: string): Promise<Program> {
  const release = findRelease(zookeeperReleases, version);
  return locateProgram(`ZooKeeper ${version ?? ""}`.trim(), [
    { name: "zkServer.sh on PATH", find: () => fromPath(version) },
    { name: `Debian ${release.suite} by apt`, find: () => fromApt(release) },
    { name: `Debian ${release.suite} in Docker`, find: () => fromDocker(release) },
  ]);
}

/** The end of the command line: system properties, the main class and its configuration file. */
export function zooKeeperArguments(properties: readonly string[], configFile: string): string[] {
  return [...properties, mainClass, configFile];
}

/** The scripts lie in `bin` beside the folder `lib` with all jars, in the layout of the project's own archive. */
async function fromPath(wanted: string | undefined): Promise<Program> {
  const script = findOnPath("zkServer.sh");
  if (script === undefined) throw new Error("there is no zkServer.sh");
  const home = path.dirname(path.dirname(await fs.realpath(script)));
  const jars = [...(await jarsIn(home)), ...(await jarsIn(path.join(home, "lib")))];
  const version = await versionIn(home, path.join(home, "lib"));
  if (wanted !== undefined && !isVersion(version, wanted)) {
    throw new Error(`${home} is version ${version}, and ${wanted} is wanted`);
  }
  return { description: `ZooKeeper ${version}, ${home}`, version, command: await javaCommand(jars) };
}

async function fromApt(release: Release): Promise<Program> {
  const root = await unpackFromApt({
    suite: release.suite,
    package: "zookeeper",
    dependencies: (name) => name.endsWith("-java"),
  });
  const folder = path.join(root, "usr/share/java");
  const jars = withoutSurplus(await jarsIn(folder));
  const version = await versionIn(folder);
  checkMinor(release, version);
  const description = `ZooKeeper ${version}, unpacked from Debian ${release.suite}`;
  return { description, version, command: await javaCommand(jars) };
}

/** Inside the image the jar of ZooKeeper names those it needs in its manifest, by absolute paths. */
async function fromDocker(release: Release): Promise<Program> {
  const image = await debianImage(release.suite, ["zookeeper", "default-jre-headless"]);
  return {
    description: `ZooKeeper ${release.version}, Debian ${release.suite} in Docker`,
    version: release.version,
    command: ["java", ...javaOptions, "-cp", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"],
    image,
  };
}

async function javaCommand(jars: readonly string[]): Promise<string[]> {
  return [await findJava(), ...javaOptions, "-cp", jars.join(path.delimiter)];
}

/** The jars of a folder, each once: packages give every jar two names, with and without its version. */
async function jarsIn(folder: string): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const jars = new Set<string>();
  for (const name of await fs.readdir(folder)) {
    if (!name.endsWith(".jar")) continue;
    const file = await fs.realpath(path.join(folder, name)).catch(() => undefined);
    if (file !== undefined) jars.add(file);
  }
  return [...jars].sort();
}

/**
 * Debian's closure holds every logging backend of slf4j and a servlet container besides. One backend is kept, which
 * writes to stderr; ZooKeeper's own jars go first, where the class loader looks first.
 */
function withoutSurplus(jars: readonly string[]): string[] {
  const surplus = /^(slf4j-(jcl|jdk14|log4j12|nop|migrator|ext)|(log4j|jcl)-over-slf4j|tomcat|jasper|eclipse|spring)/;
  const kept = jars.filter((jar) => !surplus.test(path.basename(jar)));
  const isOwn = (jar: string): boolean => path.basename(jar).startsWith("zookeeper");
  return [...kept.filter(isOwn), ...kept.filter((jar) => !isOwn(jar))];
}

async function versionIn(...folders: string[]): Promise<string> {
  for (const folder of folders) {
    const names = existsSync(folder) ? await fs.readdir(folder) : [];
    const version = names.map((name) => /^zookeeper-(\d+\.\d+\.\d+)\.jar$/.exec(name)?.[1]).find(Boolean);
    if (version !== undefined) return version;
  }
  throw new Error(`no zookeeper-<version>.jar in ${folders.join(" or ")}`);
}
