/** A server version that Debian carries, and the suite it is in. */
export interface Release {
  /** As of this writing; a suite takes bug fixes, so the last part may be newer. `version` of the server tells. */
  version: string;
  suite: string;
}

/** etcd, package `etcd-server`. The first is the default. */
export const etcdReleases: readonly Release[] = [
  { version: "3.4.23", suite: "bookworm" },
  { version: "3.5.16", suite: "trixie" },
  { version: "3.3.25", suite: "bullseye" },
  { version: "3.5.30", suite: "sid" },
];

/** Consul, package `consul`. */
export const consulReleases: readonly Release[] = [{ version: "1.8.7", suite: "bullseye" }];

/** ZooKeeper, package `zookeeper`. The first is the default. */
export const zookeeperReleases: readonly Release[] = [
  { version: "3.8.0", suite: "bookworm" },
  { version: "3.9.3", suite: "trixie" },
  { version: "3.4.13", suite: "bullseye" },
];

/** The release to take for a version such as "3.4" or "3.4.23"; the default for undefined. */
export function findRelease(releases: readonly Release[], version: string | undefined): Release {
  const release = releases.find((each) => version === undefined || isVersion(each.version, version));
  if (release === undefined) {
    throw new Error(
      `no Debian suite known with version ${version}; there are ${releases.map((r) => r.version).join(", ")}`,
    );
  }
  return release;
}

/** Whether `version` ("3.4.23") is what was asked for ("3.4.23", "3.4" or "3"). */
export function isVersion(version: string, wanted: string): boolean {
  return version === wanted || version.startsWith(`${wanted}.`);
}

/** "3.4" of "3.4.23". */
export function minorVersion(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
