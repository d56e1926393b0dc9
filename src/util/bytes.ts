import { markAsUntransferable } from "node:worker_threads";

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to this length a loop is faster than a call into the runtime, by far where it is short. */
const longestLooped = 64;

/** The UTF-8 bytes of a string. */
export function encodeUtf8(text: string): Uint8Array {
  const { length } = text;
  if (length > longestLooped) return encoder.encode(text);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return encoder.encode(text);
    bytes[at] = code;
  }
  return bytes;
}

/** The string that these UTF-8 bytes spell, a byte order mark kept. Throws a `TypeError` on bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  return strictDecoder.decode(bytes);
}

/** Order of unsigned bytes, shorter first where one is the start of the other: negative, zero or positive. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const difference = left[at]! - right[at]!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Whether both hold the same bytes. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && compareBytes(left, right) === 0;
}

/** Copies the bytes from `start` to `end` to another place. A loop is done with short ranges before a call into the runtime. */
export function copyRange(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > longestLooped) into.set(from.subarray(start, end), at);
  else for (let offset = start, to = at; offset < end; ) into[to++] = from[offset++]!;
}

/** Bytes of one's own: a copy that shares no memory with the argument. */
export function copyBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** As `copyBytes`, of bytes that several values will be views of: none of them can be moved away from the others. */
export function sharedCopyOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = new Uint8Array(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length));
  markAsUntransferable(copy.buffer);
  return copy;
}

/** So much memory is asked for at once, in bytes: an `ArrayBuffer` for each short copy costs more than the copy. */
const slabBytes = 8 * 1024;
const longestPooled = slabBytes / 4;
let slab = Buffer.alloc(0);
let slabUsed = 0;

/**
 * As `copyBytes`, for many short values: they lie side by side in one `ArrayBuffer`, as those of Node's `Buffer` do, which
 * therefore is copied, not moved, when it is sent to another thread.
 */
export function pooledCopy(bytes: Uint8Array): Uint8Array {
  return pooledCopyOf(bytes, 0, bytes.length);
}

/** As `pooledCopy`, of the `length` bytes from `start` on. */
export function pooledCopyOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  // As a view of its own: `subarray` takes several times as long to make one.
  const part = new Uint8Array(bytes.buffer, bytes.byteOffset + start, length);
  if (length > longestPooled) return new Uint8Array(part);
  const copy = pooled(length);
  copy.set(part);
  return copy;
}

/** The bytes that base64 stands for, placed as by `pooledCopy`. */
export function pooledBase64(text: string): Uint8Array {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const length = (text.length * 3) / 4 - padding;
  if (Number.isInteger(length) && length <= longestPooled) {
    const bytes = pooled(length);
    if (slab.write(text, bytes.byteOffset, length, "base64") === length) return bytes;
  }
  return new Uint8Array(Buffer.from(text, "base64"));
}

function pooled(length: number): Uint8Array {
  if (slabUsed + length > slab.length) {
    const buffer = new ArrayBuffer(slabBytes);
    markAsUntransferable(buffer);
    slab = Buffer.from(buffer);
    slabUsed = 0;
  }
  const bytes = new Uint8Array(slab.buffer, slabUsed, length);
  // The next one starts at a multiple of eight.
  slabUsed += (length + 7) & ~7;
  return bytes;
}
