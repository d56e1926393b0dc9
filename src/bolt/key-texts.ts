import { lockSuffix } from "../core/keys.js";
import type { Page } from "./engine/page.js";

/** Where the keys of a page are put side by side. */
const scratch = Buffer.alloc(4 * 1024);

/** The memory that the last key was read from: keys that follow each other mostly lie in the same. */
let memory: Buffer = Buffer.alloc(0);

/**
 * The keys of neighbours on a leaf page, one after the other. Where all are ASCII they are made into one string, of which
 * each key is a part: a call into the runtime for each costs several times as much. A key that is kept holds that string.
 */
export class KeyTexts {
  /** Whether any of them may be a lock's. */
  readonly mayBeLocks: boolean;
  readonly #page: Page;
  /** All keys together, unless they are too long for that or not ASCII. */
  readonly #text: string | undefined;
  #index: number;
  #start = 0;

  /** Of the elements from `from` up to, but not with, `to`. */
  constructor(page: Page, from: number, to: number) {
    this.#page = page;
    this.#index = from;
    this.#text = asciiText(page, from, to);
    this.mayBeLocks = this.#text === undefined || this.#text.includes(lockSuffix);
  }

  next(): string {
    const page = this.#page;
    const index = this.#index++;
    const length = page.keyLength(index);
    if (this.#text === undefined) return utf8Text(page.bytes, page.keyOffset(index), length);
    return this.#text.slice(this.#start, (this.#start += length));
  }
}

function asciiText(page: Page, from: number, to: number): string | undefined {
  const { bytes } = page;
  let length = 0;
  let bits = 0;
  for (let index = from; index < to; index++) {
    const start = page.keyOffset(index);
    const end = start + page.keyLength(index);
    if (length + end - start > scratch.length) return undefined;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      scratch[length++] = byte;
      bits |= byte;
    }
  }
  return bits < 0x80 ? scratch.toString("latin1", 0, length) : undefined;
}

/** The key that the `length` bytes from `at` on spell; `bytes` begins where its buffer does. */
function utf8Text(bytes: Uint8Array, at: number, length: number): string {
  if (memory.buffer !== bytes.buffer) memory = Buffer.from(bytes.buffer);
  return memory.toString("utf8", at, at + length);
}
