/** Orders the `length` bytes at `offset` against `key`, as unsigned bytes, shorter first. */
export function compareRange(bytes: Uint8Array, offset: number, length: number, key: Uint8Array): number {
  const keyLength = key.length;
  const shared = length < keyLength ? length : keyLength;
  for (let at = 0; at < shared; at++) {
    const difference = bytes[offset + at]! - key[at]!;
    if (difference !== 0) return difference;
  }
  return length - keyLength;
}

/** Orders two ranges of bytes, as unsigned bytes, shorter first. */
export function compareRanges(
  left: Uint8Array,
  leftOffset: number,
  leftLength: number,
  right: Uint8Array,
  rightOffset: number,
  rightLength: number,
): number {
  const shared = leftLength < rightLength ? leftLength : rightLength;
  for (let at = 0; at < shared; at++) {
    const difference = left[leftOffset + at]! - right[rightOffset + at]!;
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}
