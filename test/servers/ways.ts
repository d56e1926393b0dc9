import path from "node:path";
import { unpackFromApt } from "./apt.js";
import { debianImage } from "./docker.js";
import type { Program, Way } from "./program.js";
import { isVersion, minorVersion, type Release } from "./releases.js";
import { findOnPath, runCommand } from "./run-command.js";

/** A server that is one executable file. */
export interface BinaryServer {
  /** For people: "etcd". */
  name: string;
  binary: string;
  /** The argument that makes it print its version, as in "etcd Version: 3.4.23" or "Consul v1.8.7". */
  versionArgument: string;
  debianPackage: string;
  release: Release;
  /** The version the test asked for, if it did. */
  wanted: string | undefined;
}

/** PATH, apt, Docker: in this order. */
export function binaryWays(server: BinaryServer): Way[] {
  return [
    { name: "a binary on PATH", find: () => fromPath(server) },
    { name: `Debian ${server.release.suite} by apt`, find: () => fromApt(server) },
    { name: `Debian ${server.release.suite} in Docker`, find: () => fromDocker(server) },
  ];
}

async function fromPath(server: BinaryServer): Promise<Program> {
  const file = findOnPath(server.binary);
  if (file === undefined) throw new Error(`there is no ${server.binary}`);
  const version = await printedVersion(server, file);
  if (server.wanted !== undefined && !isVersion(version, server.wanted)) {
    throw new Error(`${file} is version ${version}, and ${server.wanted} is wanted`);
  }
  return { description: `${server.name} ${version}, ${file}`, version, command: [file] };
}

async function fromApt(server: BinaryServer): Promise<Program> {
  const root = await unpackFromApt({ suite: server.release.suite, package: server.debianPackage });
  const file = path.join(root, "usr/bin", server.binary);
  const version = await printedVersion(server, file);
  checkMinor(server.release, version);
  const description = `${server.name} ${version}, unpacked from Debian ${server.release.suite}`;
  return { description, version, command: [file] };
}

async function fromDocker(server: BinaryServer): Promise<Program> {
  const { suite, version } = server.release;
  const image = await debianImage(suite, [server.debianPackage]);
  return {
    description: `${server.name} ${version}, Debian ${suite} in Docker`,
    version,
    command: [server.binary],
    image,
  };
}

async function printedVersion(server: BinaryServer, file: string): Promise<string> {
  const { stdout } = await runCommand(file, [server.versionArgument], { timeoutMs: 20_000 });
  const version = /\bv?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${file} ${server.versionArgument} printed no version`);
  return version;
}

/** Debian's unstable suite moves on; a test that asks for 3.5 must not run on 3.6 unseen. */
export function checkMinor(release: Release, version: string): void {
  if (minorVersion(version) !== minorVersion(release.version)) {
    throw new Error(`Debian ${release.suite} now has ${version}, no longer ${minorVersion(release.version)}`);
  }
}
