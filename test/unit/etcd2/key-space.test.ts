import { expect, it } from "vitest";
import { refuseKey } from "../../../src/etcd2/capabilities.js";
import { isPathBelow, KeySpace } from "../../../src/etcd2/key-space.js";

it("keys stand at paths below the prefix, and come back from them", () => {
  const everything = new KeySpace("");
  const app = new KeySpace("some/app");
  expect([everything.path(""), everything.path("a/b"), everything.key("/a/b")]).toEqual(["/", "/a/b", "a/b"]);
  expect([app.path(""), app.path("a/b"), app.key("/some/app/a/b")]).toEqual(["/some/app", "/some/app/a/b", "a/b"]);
});

it("a directory gives its keys in the order of their bytes, whatever it is nested in", () => {
  const node = (key: string) => ({ key, value: "v", modifiedIndex: 3, createdIndex: 2 });
  const dir = (key: string, nodes?: object[]) =>
    ({ key, dir: true, nodes, modifiedIndex: 1, createdIndex: 1 }) as never;
  const tree = dir("/p", [
    node("/p/b"),
    dir("/p/a", [node("/p/a/z"), dir("/p/a/empty", []), dir("/p/a/unread")]),
    node("/p/a-b"),
    node("/p/of___lock"),
    node("/p/\u{10000}"),
    node("/p/\uffee"),
  ]);
  const pairs = new KeySpace("p").pairs(tree);
  expect(pairs.map(({ key }) => key)).toEqual(["a-b", "a/z", "b", "\uffee", "\u{10000}"]);
  expect(pairs[0]).toMatchObject({ revision: 3n });
});

it("a path is below a directory, not below one whose name it starts with", () => {
  expect(isPathBelow("/a/b", "/a")).toBe(true);
  expect(isPathBelow("/ab", "/a")).toBe(false);
  expect(isPathBelow("/a", "/a")).toBe(false);
  expect(isPathBelow("/a", "/")).toBe(true);
});

it("segments that start with an underscore are refused, wherever they stand", () => {
  for (const key of ["_", "_a", "a/_b", "a/_b/c"]) expect(refuseKey(key)).toMatch(/hides/);
  for (const key of ["a_", "a_b/c_"]) expect(refuseKey(key)).toBeUndefined();
});
