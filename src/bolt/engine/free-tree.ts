import { Node } from "./node.js";
import { maxDepth } from "./pager.js";
import type { Level, Tree } from "./tree.js";

/** Frees all pages of a tree; `freeNested` is called with the name of each bucket in it. */
export function freeTree(tree: Tree, freeNested: (name: Uint8Array) => void): void {
  freeLevel(tree, tree.rootLevel(), 0, freeNested);
}

function freeLevel(tree: Tree, level: Level, depth: number, freeNested: (name: Uint8Array) => void): void {
  if (depth > maxDepth) throw tree.tooDeep();
  const [id, count] = level instanceof Node ? [level.pageId, level.pageCount] : [level.id, level.overflow + 1];
  if (id !== 0) tree.context.freePages(id, count);
  for (let index = 0; index < level.count; index++) {
    if (!level.isLeaf) freeLevel(tree, tree.childLevel(level, index), depth + 1, freeNested);
    else if (level.flags(index) !== 0) freeNested(level.key(index));
  }
}
