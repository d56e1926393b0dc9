import { describe, expect, it } from "vitest";
import { ancestorsOf, guardOf, isGuard, NodePaths, parentOf } from "../../../src/zookeeper/paths.js";

const contender = `_c_${"0a".repeat(16)}-lock-0000000007`;

describe("paths of a store's nodes", () => {
  it("puts keys below the prefix, and finds them again", () => {
    const [root, prefixed] = [new NodePaths(""), new NodePaths("app/x")];
    expect([root.of(""), root.of("a/b"), prefixed.of(""), prefixed.of("a/b")]).toEqual([
      "/",
      "/a/b",
      "/app/x",
      "/app/x/a/b",
    ]);
    expect(prefixed.keyOf("/app/x/a/b")).toBe("a/b");
    expect(root.keyOf("/a/b")).toBe("a/b");
    expect([prefixed.keyOf("/app/x"), prefixed.keyOf("/app/xy/a"), root.keyOf("/")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("shows nothing of locks, whoever made them, nor of the server's own", () => {
    const root = new NodePaths("");
    for (const path of [
      "/zookeeper",
      "/zookeeper/quota",
      "/k___lock",
      `/k___lock/${contender}`,
      `/k/${contender}`,
      `/k/${"0a".repeat(16)}__lock__0000000007`,
      guardOf("/k"),
      `/${"k".repeat(1_025)}`,
    ]) {
      expect(root.keyOf(path), path).toBeUndefined();
    }
    expect(root.keyOf("/zookeepers")).toBe("zookeepers");
    expect(root.keyOf("/k-lock-0000000007")).toBe("k-lock-0000000007");
    expect(new NodePaths("app").keyOf("/app/zookeeper/k")).toBe("zookeeper/k");
    expect(root.isHidden("zookeeper", "/")).toBe(true);
    expect(root.isHidden("zookeeper", "/a")).toBe(false);
    expect(root.isHidden(contender, "/a")).toBe(true);
    expect(root.isHidden("clock", "/a")).toBe(false);
  });

  it("knows parents and ancestors", () => {
    expect(parentOf("/a/b")).toBe("/a");
    expect(parentOf("/a")).toBe("/");
    expect(parentOf("/")).toBeUndefined();
    expect(ancestorsOf("/a/b/c")).toEqual(["/a", "/a/b"]);
    expect(ancestorsOf("/a")).toEqual([]);
  });

  it("chooses the same guards in every version of Kvasir", () => {
    // Stores that chose others would not notice what each other creates.
    expect(guardOf("/a")).toBe("/___lock/guard-2d");
    expect(guardOf("/app/config/db")).toBe("/___lock/guard-13");
    expect(isGuard(guardOf("/a"))).toBe(true);
    const spread = new Set(Array.from({ length: 5_000 }, (_, at) => guardOf(`/k${at}`)));
    expect(spread.size).toBe(256);
  });
});
