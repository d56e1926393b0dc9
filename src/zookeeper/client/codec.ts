import { MarshallingError } from "./error-codes.js";
import { RequestTooLargeError } from "./errors.js";

/** Bytes of one output chunk: large enough that a busy tick is usually one write, small enough to throw away. */
const chunkBytes = 64 * 1024;
/** Strings up to this length are written byte by byte: faster than crossing into native code. */
const shortString = 96;
/** Buffers below this are copied out of the frame, so that keeping one does not keep the whole frame. */
const copyBelowBytes = 4 * 1024;

/**
 * Writes records in Jute's binary encoding (big-endian; ZooKeeper's `BinaryOutputArchive`) one behind the other into a
 * chunk. `take` hands out what was written since the last one; the chunk's free rest is filled on, and bytes handed out
 * are never touched again, so the socket may keep them without a copy.
 */
export class JuteWriter {
  readonly #maximumBytes: number;
  #chunk: Buffer = Buffer.allocUnsafeSlow(chunkBytes);
  #taken = 0;
  #at = 0;

  /** A string or buffer far over `maximumBytes` throws before anything is copied; the exact limit is for the frame. */
  constructor(maximumBytes = Number.POSITIVE_INFINITY) {
    this.#maximumBytes = maximumBytes;
  }

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#at - this.#taken;
  }

  int(value: number): void {
    this.#reserve(4);
    this.#putInt(this.#at, value);
    this.#at += 4;
  }

  bool(value: boolean): void {
    this.#reserve(1);
    this.#chunk[this.#at++] = value ? 1 : 0;
  }

  long(value: bigint): void {
    this.#reserve(8);
    this.#at = this.#chunk.writeBigInt64BE(value, this.#at);
  }

  string(value: string): void {
    const length = value.length;
    this.#reserve(4 + length * 3);
    const chunk = this.#chunk;
    const start = this.#at + 4;
    if (length <= shortString) {
      let index = 0;
      for (; index < length; index++) {
        const unit = value.charCodeAt(index);
        if (unit > 0x7f) break;
        chunk[start + index] = unit;
      }
      if (index === length) return this.#endBytes(start, length);
    }
    this.#endBytes(start, chunk.write(value, start, "utf8"));
  }

  /** A buffer; null, which is not the same as empty, is written as length -1. */
  buffer(value: Uint8Array | null): void {
    if (value === null) return this.int(-1);
    this.#reserve(4 + value.length);
    this.#chunk.set(value, this.#at + 4);
    this.#endBytes(this.#at + 4, value.length);
  }

  vector<T>(values: readonly T[], write: (writer: JuteWriter, value: T) => void): void {
    this.int(values.length);
    for (const value of values) write(this, value);
  }

  /** Leaves room for a frame's length; pass the result to `endFrame` or `dropFrame`. */
  beginFrame(): number {
    this.#reserve(4);
    const mark = this.length;
    this.#at += 4;
    return mark;
  }

  /** Writes the length of the frame begun at `mark` and returns it (the length field itself not counted). */
  endFrame(mark: number): number {
    const start = this.#taken + mark;
    const length = this.#at - start - 4;
    this.#putInt(start, length);
    return length;
  }

  /** Forgets everything from `mark` on. */
  dropFrame(mark: number): void {
    this.#at = this.#taken + mark;
  }

  /** The bytes written since the last `take`: never written to again. */
  take(): Buffer {
    const bytes = this.#chunk.subarray(this.#taken, this.#at);
    this.#taken = this.#at;
    return bytes;
  }

  #endBytes(start: number, length: number): void {
    this.#putInt(start - 4, length);
    this.#at = start + length;
  }

  #putInt(at: number, value: number): void {
    const chunk = this.#chunk;
    chunk[at] = value >>> 24;
    chunk[at + 1] = value >>> 16;
    chunk[at + 2] = value >>> 8;
    chunk[at + 3] = value;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return;
    if (bytes > this.#maximumBytes * 3) throw new RequestTooLargeError(bytes, this.#maximumBytes);
    const length = this.length;
    const larger = Buffer.allocUnsafeSlow(Math.max(chunkBytes, (length + bytes) * 2));
    this.#chunk.copy(larger, 0, this.#taken, this.#at);
    this.#chunk = larger;
    this.#taken = 0;
    this.#at = length;
  }
}

const noBytes = new Uint8Array(0);

/**
 * Reads records in Jute's binary encoding from part of a buffer. Nothing is read past the end and nothing is allocated
 * on the strength of a length alone: a length that does not fit what is there throws a `MarshallingError`.
 */
export class JuteReader {
  #bytes: Uint8Array = noBytes;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #lasting = false;

  /**
   * Starts on another part of a buffer; the reader is made to be used again for each frame. Of `lasting` bytes, which
   * are never used for anything else, large values are given out as views.
   */
  reset(buffer: Buffer, start = 0, end = buffer.length, lasting = false): this {
    this.#lasting = lasting;
    this.#buffer = buffer;
    this.#bytes = buffer;
    this.#at = start;
    this.#end = end;
    return this;
  }

  /** Bytes not yet read. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  int(): number {
    const at = this.#advance(4);
    const bytes = this.#bytes;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  bool(): boolean {
    return this.#bytes[this.#advance(1)] !== 0;
  }

  long(): bigint {
    return this.#buffer.readBigInt64BE(this.#advance(8));
  }

  /** A string; one sent as null is empty. Bytes that are not UTF-8 become U+FFFD. */
  string(): string {
    const length = this.#length("string");
    if (length <= 0) return "";
    const at = this.#advance(length);
    return this.#buffer.toString("utf8", at, at + length);
  }

  /** A buffer, or null for length -1; its bytes are the caller's own. */
  buffer(): Buffer | null {
    const length = this.#length("buffer");
    if (length < 0) return null;
    const at = this.#advance(length);
    if (this.#lasting && length >= copyBelowBytes) return this.#buffer.subarray(at, at + length);
    const copy = Buffer.allocUnsafe(length);
    this.#buffer.copy(copy, 0, at, at + length);
    return copy;
  }

  /** A vector; one sent as null is empty. Each element takes some bytes, so a count that cannot be runs into the end. */
  vector<T>(read: (reader: JuteReader) => T): T[] {
    const count = this.#length("vector");
    const values: T[] = [];
    for (let index = 0; index < count; index++) values.push(read(this));
    return values;
  }

  #length(what: string): number {
    const length = this.int();
    if (length < -1) throw new MarshallingError(`a ${what} of length ${length}`);
    return length;
  }

  #advance(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#end) {
      throw new MarshallingError(`a field of ${bytes} bytes with ${this.#end - at} left in the frame`);
    }
    this.#at = at + bytes;
    return at;
  }
}
