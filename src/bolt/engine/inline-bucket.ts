import { type BucketHeader, writeBucketHeader } from "./bucket-header.js";
import type { Node } from "./node.js";
import { serializeNode } from "./serialize.js";
import { bucketHeaderSize } from "./validate-page.js";

/** Whether a bucket lies in its parent's value. As in bbolt: one leaf of at most a quarter page, without nested buckets. */
export function fitsInline(root: Node | undefined, pageSize: number): root is Node {
  if (!root?.isLeaf || root.size() > pageSize / 4) return false;
  return root.inodes.every((inode) => inode.flags === 0);
}

/** The value of a bucket that lies in it whole: its header, and behind that its one page. */
export function inlineValue(header: BucketHeader, root: Node): Uint8Array {
  const size = root.size();
  const slab = writeBucketHeader({ ...header, rootId: 0 }, size);
  serializeNode(root, 0, root.inodes.length, { id: 0, overflow: 0, slab, start: bucketHeaderSize, length: size });
  return slab.value;
}
