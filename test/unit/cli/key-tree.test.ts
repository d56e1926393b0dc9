import { describe, expect, test } from "vitest";
import { buildTree, type TreeNode } from "../../../src/cli/key-tree.js";

function outline(node: TreeNode): string[] {
  return [...node.children.values()].flatMap((child) => [
    `${child.path}${child.isKey ? " key" : ""}${child.isDirectory ? " directory" : ""}`,
    ...outline(child),
  ]);
}

describe("the tree of keys", () => {
  test("gathers what the order of bytes tears apart", () => {
    expect(outline(buildTree(["a", "a-b", "a/b", "a/c/d"], ""))).toEqual([
      "a key directory",
      "a/b key",
      "a/c directory",
      "a/c/d key",
      "a-b key",
    ]);
  });

  test("starts below the directory, and a slash at the end is a directory", () => {
    expect(outline(buildTree(["app/web/host", "app/web/certs/"], "/app//web/"))).toEqual([
      "app/web/host key",
      "app/web/certs directory",
    ]);
  });
});
