import { Node } from "./node.js";
import type { Fill } from "./fill.js";
import { pageHeaderSize } from "./page-layout.js";
import { headRoom } from "./page.js";
import { cutPage, minKeysPerPage, serializeNode } from "./serialize.js";
import type { SlabAllocator } from "./slab.js";

/**
 * Turns the front of a leaf whose keys come in order into full pages, while the transaction still runs: an element that
 * lives only until then costs the garbage collector nothing. The rest, less than a page, stays in the leaf. The new nodes
 * get their places in the file when the transaction is written; until then they can be edited as any other.
 */
export function packFront(leaf: Node, fill: Fill, memory: SlabAllocator): Node[] {
  const { inodes } = leaf;
  const { pageSize } = fill;
  const threshold = fill.bytesOf(leaf);
  const packed: Node[] = [];
  let size = leaf.size();
  let from = 0;
  while (inodes.length - from > 2 * minKeysPerPage && size >= pageSize) {
    const part = cutPage(inodes, from, threshold);
    const count = Math.ceil(part.size / pageSize);
    const length = count * pageSize;
    memory.take(length + headRoom(pageSize));
    const { slab, start } = memory;
    packed.push(Node.ofPacked(serializeNode(leaf, from, part.to, { id: 0, overflow: count - 1, slab, start, length })));
    size -= part.size - pageHeaderSize;
    from = part.to;
  }
  inodes.splice(0, from);
  return packed;
}
