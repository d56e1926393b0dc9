import { once } from "node:events";
import type { Writable } from "node:stream";
import { type Meta, writeMeta } from "./meta.js";
import type { Pager } from "./pager.js";

const chunkBytes = 1024 * 1024;

/**
 * Writes a snapshot as a file of its own: two fresh meta pages, the second for one transaction before so that the first
 * counts, and all pages as they are. Pages of the snapshot cannot change while its transaction is open; the others carry
 * whatever they hold now, and nothing refers to them.
 */
export async function backup(pager: Pager, meta: Meta, stream: Writable, assertOpen: () => void): Promise<number> {
  const { pageSize, storage } = pager;
  const head = new Uint8Array(2 * pageSize);
  writeMeta(head.subarray(0, pageSize), meta, 0);
  writeMeta(head.subarray(pageSize), { ...meta, txid: Math.max(meta.txid - 1, 0) }, 1);
  await send(stream, head);
  const end = meta.highWater * pageSize;
  for (let offset = head.length; offset < end; offset += chunkBytes) {
    assertOpen();
    const chunk = new Uint8Array(Math.min(chunkBytes, end - offset));
    storage.read(offset, chunk);
    await send(stream, chunk);
  }
  return end;
}

/** Writes one chunk and waits while the stream is full; rejects when the stream fails. */
async function send(stream: Writable, chunk: Uint8Array): Promise<void> {
  if (stream.errored) throw stream.errored;
  if (!stream.write(chunk)) await once(stream, "drain");
  else await new Promise<void>((resolve) => setImmediate(resolve));
}
