/** The data of every suite: keys of 21 bytes, values of 128 bytes that tell their key, so that answers can be checked. */
export const keyCount = 100_000;
export const valueSize = 128;

/** The directory that all keys are in. */
export const directory = "bench/key";

/** The key of a number: 21 bytes, and in the order of the numbers. */
export function keyOf(index: number): string {
  return `${directory}/${index.toString().padStart(11, "0")}`;
}

const keySize = 21;
const keyBytes = Buffer.from(Array.from({ length: keyCount }, (_, index) => keyOf(index)).join(""));

/** All keys; made once and as flat strings, so that both sides use the same and the heap stays small. */
export const keys: readonly string[] = Array.from({ length: keyCount }, (_, index) =>
  keyBytes.toString("latin1", index * keySize, (index + 1) * keySize),
);

const values = Buffer.alloc(keyCount * valueSize, 0x2e);
for (let index = 0; index < keyCount; index++) values.writeUInt32LE(index, index * valueSize);

/** The bytes of a key, for the engine. */
export function keyBytesOf(index: number): Buffer {
  return keyBytes.subarray(index * keySize, (index + 1) * keySize);
}

/** The value of a key: it begins with the key's number. */
export function valueOf(index: number): Buffer {
  return values.subarray(index * valueSize, (index + 1) * valueSize);
}

let written = 0;

/** A value of the key that it did not have before: some servers make short work of a write that changes nothing. */
export function newValueOf(index: number): Buffer {
  const value = Buffer.from(valueOf(index));
  value.writeUInt32LE(written++ >>> 0, 4);
  return value;
}

/** Throws unless `value` is what `valueOf(index)` gave. */
export function checkValue(value: Uint8Array | undefined, index: number): void {
  if (
    value !== undefined &&
    value.length === valueSize &&
    value[0] === (index & 0xff) &&
    value[1] === ((index >>> 8) & 0xff) &&
    value[2] === ((index >>> 16) & 0xff)
  ) {
    return;
  }
  throw new Error(`${keyOf(index)} has another value than it was given, ${value?.length} bytes long`);
}

/** Numbers of keys in random order, the same for both sides: a fixed sequence, gone through again and again. */
export function randomOrder(count = keyCount, length = 1 << 20): Uint32Array {
  let state = 0x9e3779b9;
  return Uint32Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % count;
  });
}
