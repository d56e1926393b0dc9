import { Node } from "./node.js";
import type { Tree } from "./tree.js";

/** What the commit needs of the free pages. */
export interface PageFreer {
  freePages(id: number, count: number): void;
}

/**
 * After deletions: merges nodes that have become small with a neighbour, removes empty ones, and takes levels off the
 * top. As in bbolt, a node is small at a quarter of a page or less, or with too few keys.
 */
export function rebalance(tree: Tree, pageSize: number, pages: PageFreer): void {
  if (tree.root === undefined || tree.root.isLeaf) return;
  if (tree.mayBeUnbalanced) rebalanceChildren(tree, tree.root, pageSize, pages);
  while (!tree.root.isLeaf && tree.root.count <= 1) {
    const old: Node = tree.root;
    freeNode(old, pages);
    tree.root = old.count === 1 ? tree.editChild(old, 0) : new Node(true);
  }
}

function rebalanceChildren(tree: Tree, branch: Node, pageSize: number, pages: PageFreer): void {
  const edited = branch.editedChildren();
  for (const [, child] of edited) if (!child.isLeaf) rebalanceChildren(tree, child, pageSize, pages);
  if (!edited.some(([, child]) => child.unbalanced)) return;
  for (let index = 0; index < branch.inodes.length; index++) {
    const child = branch.inodes[index]!.child;
    if (!child?.unbalanced) continue;
    child.unbalanced = false;
    if (child.inodes.length > (child.isLeaf ? 1 : 2) && child.size() > pageSize / 4) continue;
    if (child.inodes.length === 0) {
      freeNode(child, pages);
      branch.inodes.splice(index, 1);
    } else if (branch.inodes.length > 1) {
      const left = index === 0 ? 0 : index - 1;
      mergeWithNext(tree, branch, left, pages);
    } else {
      continue;
    }
    branch.unbalanced = true;
    index--;
  }
}

/** Moves all of the right neighbour's elements to the left node. */
function mergeWithNext(tree: Tree, branch: Node, index: number, pages: PageFreer): void {
  const left = tree.editChild(branch, index);
  const right = tree.editChild(branch, index + 1);
  for (const inode of right.inodes) left.inodes.push(inode);
  freeNode(right, pages);
  branch.inodes.splice(index + 1, 1);
}

/** Frees the page that a node was read from. */
export function freeNode(node: Node, pages: PageFreer): void {
  if (node.pageId === 0) return;
  pages.freePages(node.pageId, node.pageCount);
  node.pageId = 0;
}
