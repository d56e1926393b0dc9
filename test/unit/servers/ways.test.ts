import { afterEach, expect, it, vi } from "vitest";
import { skipped } from "../../servers/index.js";
import { locateProgram } from "../../servers/program.js";
import { etcdReleases, findRelease, isVersion } from "../../servers/releases.js";
import { binaryWays, checkMinor } from "../../servers/ways.js";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

it("gives the reason of each way that failed", async () => {
  vi.stubEnv("PATH", "/nonexistent");
  const ways = binaryWays({
    name: "Nothing",
    binary: "nothing-of-that-name",
    versionArgument: "--version",
    debianPackage: "nothing-of-that-name",
    release: { version: "1.2.3", suite: "no-such-suite" },
    wanted: undefined,
  });
  const failure = await locateProgram("Nothing", ways).catch((error: Error) => error.message);
  expect(failure).toContain("no Nothing to test with. What was tried:\n");
  expect(failure).toContain("a binary on PATH: there is no nothing-of-that-name\n");
  expect(failure).toContain("Debian no-such-suite by apt: this machine has no apt-get");
  expect(failure).toMatch(/Debian no-such-suite in Docker: .*ENOENT/);
});

it("takes a binary on PATH only in the version that is wanted", async () => {
  const node = {
    name: "Node",
    binary: "node",
    versionArgument: "--version",
    debianPackage: "none",
    release: { version: "0.0.1", suite: "none" },
  };
  const onPath = (wanted: string | undefined) => binaryWays({ ...node, wanted })[0]!.find();
  expect(await onPath(undefined)).toMatchObject({ version: process.versions.node });
  expect(await onPath(process.versions.node.split(".")[0])).toMatchObject({ version: process.versions.node });
  await expect(onPath("0.10")).rejects.toThrow(`is version ${process.versions.node}, and 0.10 is wanted`);
});

it("finds a release by any part of its version", () => {
  expect(findRelease(etcdReleases, undefined).suite).toBe("bookworm");
  expect(findRelease(etcdReleases, "3.5").suite).toBe("trixie");
  expect(findRelease(etcdReleases, "3.5.30").suite).toBe("sid");
  expect(isVersion("3.50.1", "3.5")).toBe(false);
  expect(() => findRelease(etcdReleases, "4")).toThrow("3.4.23");
  expect(() => checkMinor({ version: "3.5.30", suite: "sid" }, "3.5.31")).not.toThrow();
  expect(() => checkMinor({ version: "3.5.30", suite: "sid" }, "3.6.0")).toThrow("now has 3.6.0");
});

it("leaves a backend out on demand, and says so", () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  vi.stubEnv("KVASIR_SKIP", "consul, etcd");
  expect([skipped("consul"), skipped("etcd"), skipped("zookeeper")]).toEqual([true, true, false]);
  expect(said.mock.calls.join("")).toContain("against consul are LEFT OUT");
  expect(said).toHaveBeenCalledTimes(2);
});
