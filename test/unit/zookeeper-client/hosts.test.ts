import { describe, expect, it } from "vitest";
import { HostRing, parseServers, resolveAddress, serverName } from "../../../src/zookeeper/client/hosts.js";
import { Chroot, pathError } from "../../../src/zookeeper/client/paths.js";

describe("the connect string", () => {
  it.each([
    [
      "zk1:2181,zk2:2182/app/a",
      [
        ["zk1", 2181],
        ["zk2", 2182],
      ],
      "/app/a",
    ],
    ["zk1", [["zk1", 2181]], ""],
    [
      "zk1,zk2/",
      [
        ["zk1", 2181],
        ["zk2", 2181],
      ],
      "",
    ],
    [
      "[::1]:99,[fe80::1]/x/",
      [
        ["::1", 99],
        ["fe80::1", 2181],
      ],
      "/x",
    ],
    [
      " zk1:1 , zk2:2 ",
      [
        ["zk1", 1],
        ["zk2", 2],
      ],
      "",
    ],
  ] as const)("reads %s", (text, servers, chroot) => {
    expect(parseServers(text)).toEqual({ servers: servers.map(([host, port]) => ({ host, port })), chroot });
  });

  it.each(["", ",", "zk1,", "zk1:0", "zk1:65536", "zk1:x", "::1", "[::1", "[zk1]:1", "user@zk1", "zk 1", "/chroot"])(
    "refuses %j",
    (text) => {
      expect(() => parseServers(text)).toThrow(/is not a server/);
    },
  );

  it("writes servers as it reads them", () => {
    for (const text of ["zk1:2181", "[::1]:99"]) expect(serverName(parseServers(text).servers[0]!)).toBe(text);
  });
});

describe("the ring of servers", () => {
  const servers = ["a", "b", "c", "d", "e"].map((host) => ({ host, port: 1 }));
  const round = (ring: HostRing): string => servers.map(() => ring.next().host).join("");

  it("takes each server once a round, in an order of chance", () => {
    const orders = new Set<string>();
    for (let at = 0; at < 200; at++) {
      const ring = new HostRing(servers, Math.random);
      const order = round(ring);
      expect(order.split("").toSorted().join("")).toBe("abcde");
      expect(round(ring)).toBe(order);
      orders.add(order);
    }
    expect(orders.size).toBeGreaterThan(50);
  });

  it("takes the preferred one next", () => {
    const ring = new HostRing(servers, Math.random);
    ring.next();
    ring.prefer(servers[3]!);
    expect(ring.next()).toBe(servers[3]);
  });

  it("asks for addresses each time and chooses among them", async () => {
    expect(await resolveAddress({ host: "10.1.2.3", port: 1 }, Math.random)).toBe("10.1.2.3");
    expect(await resolveAddress({ host: "localhost", port: 1 }, () => 0)).toMatch(/^(127\.0\.0\.1|::1)$/);
    await expect(resolveAddress({ host: "no-such-host.invalid", port: 1 }, () => 0)).rejects.toThrow(/no-such-host/);
  });
});

describe("paths", () => {
  it("go through the chroot and back", () => {
    const chroot = new Chroot("/app");
    for (const path of ["/", "/a", "/a/b"]) expect(chroot.strip(chroot.add(path))).toBe(path);
    expect(chroot.add("/")).toBe("/app");
    expect(chroot.strip("/application")).toBeUndefined();
    expect(new Chroot("/").add("/a")).toBe("/a");
    expect(() => new Chroot("app")).toThrow(/is not a path/);
  });

  it.each(["/", "/a", "/a/b.c", "/...", "/.a", "/ü", "/\u3042", "/ a"])("%j is one", (path) => {
    expect(pathError(path, "test")).toBeUndefined();
  });

  it.each(["", "a", "/a/", "//a", "/a//b", "/.", "/..", "/./a", "/a/..", "/a\u0000", "/\u001f", "/\u009f", "/\ufff0"])(
    "%j is none",
    (path) => {
      expect(pathError(path, "test")).toMatchObject({ path, operation: "test" });
    },
  );
});
