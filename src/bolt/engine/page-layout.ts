/**
 * The layout of a page, as bbolt's page.go (file format version 2) has it. All numbers are little-endian.
 *
 *   header   u64 id, u16 flags, u16 count, u32 overflow (how many pages follow that belong to this one)
 *   leaf     count * (u32 flags, u32 pos, u32 key size, u32 value size), then the keys and values
 *   branch   count * (u32 pos, u32 key size, u64 page id), then the keys
 *
 * `pos` counts from the start of its own element to the key; a value follows its key directly.
 */

export const pageHeaderSize = 16;
/** Branch and leaf elements are of the same size. */
export const elementSize = 16;

export const branchFlag = 0x01;
export const leafFlag = 0x02;
export const metaFlag = 0x04;
export const freelistFlag = 0x10;

/** In a leaf element's flags: the value is a nested bucket. */
export const bucketFlag = 0x01;

/** Longest key, and longest value, in bytes. */
export const maxKeySize = 32_768;
export const maxValueSize = 2 ** 31 - 2;

const highWord = 2 ** 32;

/** Writes a page header at word `at`. */
export function writePageHeader(
  words: Uint32Array,
  at: number,
  id: number,
  flags: number,
  count: number,
  overflow: number,
): void {
  writeUint64(words, at, id);
  words[at + 2] = flags | (count << 16);
  words[at + 3] = overflow;
}

/** The 64-bit number at word `at`; exact below 2^53. */
export function readUint64(words: Uint32Array, at: number): number {
  const high = words[at + 1]!;
  return high === 0 ? words[at]! : high * highWord + words[at]!;
}

export function writeUint64(words: Uint32Array, at: number, value: number): void {
  const isLow = value < highWord;
  words[at] = isLow ? value : value % highWord;
  words[at + 1] = isLow ? 0 : Math.floor(value / highWord);
}

/** What a page's flags call it, for messages. */
export function pageKind(flags: number): string {
  if (flags === branchFlag) return "branch";
  if (flags === leafFlag) return "leaf";
  if (flags === metaFlag) return "meta";
  if (flags === freelistFlag) return "freelist";
  return `unknown (flags 0x${flags.toString(16)})`;
}
