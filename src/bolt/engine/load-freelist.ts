import { readBucketHeader } from "./bucket-header.js";
import { Freelist, parseFreelist } from "./freelist.js";
import type { Meta } from "./meta.js";
import { freelistFlag, pageKind, readUint64 } from "./page-layout.js";
import type { Pager } from "./pager.js";

/** Pages walked before other work gets its turn. */
const pagesPerTurn = 500;

/** The free pages of a committed state, and how many pages their stored list takes. */
export async function loadFreelist(pager: Pager, meta: Meta): Promise<{ freelist: Freelist; pageCount: number }> {
  if (meta.freelist === undefined) return { freelist: new Freelist(await walkForFreePages(pager, meta)), pageCount: 0 };
  const { ids, pageCount } = readFreelist(pager, meta.freelist, meta.highWater);
  return { freelist: new Freelist(ids), pageCount };
}

/** Reads a stored freelist. */
export function readFreelist(pager: Pager, id: number, highWater: number): { ids: Float64Array; pageCount: number } {
  const bytes = pager.readRun(id);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, 4);
  const flags = words[2]! & 0xffff;
  if (readUint64(words, 0) !== id) throw pager.corrupt(id, `carries the id of page ${readUint64(words, 0)}`);
  if (flags !== freelistFlag) throw pager.corrupt(id, `is of type ${pageKind(flags)}, not freelist`);
  const ids = parseFreelist(bytes, highWater);
  if (typeof ids === "string") throw pager.corrupt(id, ids);
  return { ids, pageCount: bytes.length / pager.pageSize };
}

/** What is not reachable from the root is free: for files whose freelist was not stored. */
async function walkForFreePages(pager: Pager, meta: Meta): Promise<Float64Array> {
  const used = new Uint8Array(meta.highWater);
  const waiting = [meta.root];
  let free = meta.highWater - 2;
  for (let walked = 1; waiting.length > 0; walked++) {
    if (walked % pagesPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const page = pager.pageUncached(waiting.pop()!);
    for (let id = page.id; id <= page.id + page.overflow; id++) {
      if (used[id] === 1) throw pager.corrupt(id, "is referred to more than once");
      used[id] = 1;
      free--;
    }
    for (let index = 0; index < page.count; index++) {
      if (!page.isLeaf) waiting.push(page.childId(index));
      else if (page.flags(index) !== 0) {
        const { rootId } = readBucketHeader(pager, page.id, page.value(index));
        if (rootId !== 0) waiting.push(rootId);
      }
    }
  }
  const ids = new Float64Array(free);
  let count = 0;
  for (let id = 2; id < meta.highWater; id++) if (used[id] === 0) ids[count++] = id;
  return ids;
}
