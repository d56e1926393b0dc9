import { encodeUtf8 } from "../util/bytes.js";

/** As long as the longest key of a store. */
const scratch = new Uint8Array(1_024);
/** The first `n` bytes of it, for each `n` that was asked for. */
const views: (Uint8Array | undefined)[] = [];

/**
 * The bytes of a key, to look it up with or to hand to the engine, which copies them. Read them before the next call: the
 * memory is used again, so that a read of an ordinary key allocates nothing for it.
 */
export function keyBytes(key: string): Uint8Array {
  const { length } = key;
  if (length > scratch.length) return encodeUtf8(key);
  for (let at = 0; at < length; at++) {
    const code = key.charCodeAt(at);
    if (code >= 0x80) return encodeUtf8(key);
    scratch[at] = code;
  }
  return (views[length] ??= scratch.subarray(0, length));
}
