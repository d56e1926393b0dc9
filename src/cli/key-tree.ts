/** A directory or a key, or both, with what lies below it in the order it came. */
export interface TreeNode {
  /** The last segment. */
  readonly name: string;
  readonly path: string;
  isKey: boolean;
  isDirectory: boolean;
  readonly children: Map<string, TreeNode>;
}

/** Folds sorted keys into a tree below the directory. Keys that end in a slash are directories that go deeper. */
export function buildTree(keys: readonly string[], directory: string): TreeNode {
  const base = directory.split("/").filter((segment) => segment !== "");
  const root = createNode("", base.join("/"));
  for (const key of keys) {
    let node = root;
    for (const segment of key.split("/").slice(base.length)) {
      node.isDirectory = true;
      if (segment !== "") node = childOf(node, segment);
    }
    if (!key.endsWith("/")) node.isKey = true;
  }
  return root;
}

function childOf(parent: TreeNode, name: string): TreeNode {
  let child = parent.children.get(name);
  if (child === undefined) {
    child = createNode(name, parent.path === "" ? name : `${parent.path}/${name}`);
    parent.children.set(name, child);
  }
  return child;
}

function createNode(name: string, path: string): TreeNode {
  return { name, path, isKey: false, isDirectory: false, children: new Map() };
}
