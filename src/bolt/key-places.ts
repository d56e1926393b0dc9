import type { PageHandle } from "./engine/page.js";

/** So many keys are remembered; when more are in use all are forgotten and learned anew. */
const maxPlaces = 128 * 1024;
const smallestTable = 1024;

/**
 * What is kept of a place, in words: four places fill a cache line. The slot of its page with the key's length, and the
 * value's offset in the page's memory with its length, share a word each.
 */
const hashAt = 0;
const serialAt = 1;
const slotAt = 2;
const valueAt = 3;
const placeWords = 4;
const keyLengthBits = 11;
const maxKeyLength = 2 ** keyLengthBits - 1;
const maxSlots = 2 ** 20;
const lengthBits = 12;
const maxLength = 2 ** lengthBits - 1;
const maxOffset = 2 ** 20 - 1;

/** How many slots are looked through for one whose page is gone, before there is another slot. */
const slotsTried = 4;

/**
 * Where the stored values are of keys that were read before. A committed page never changes, so while it is part of the
 * newest state what it says of a key is true, and a read need not come down the tree. A page that is replaced or leaves the
 * cache lets go of its handle, and with it of all places on it.
 *
 * A hash table of numbers, with open addressing: a `Map` of strings leads through half a dozen objects, each of them in
 * memory that the processor has to wait for. The key itself stands before its value in the page (bbolt's `leafPageElement`),
 * and is compared there. Keys of other than ASCII characters are not remembered, nor are values of 4 KiB or more.
 */
export class KeyPlaces {
  /** Of the place found last: the value's first byte and its length. */
  offset = 0;
  length = 0;
  #table = new Int32Array(placeWords * smallestTable);
  #count = 0;
  /** The handles of the pages that places are on; the first slot stays empty, as 0 is none. */
  #slots: (PageHandle | undefined)[] = [undefined];
  #hand = 0;

  /** The handle of the page that has the key, or undefined when it has to be looked for; `offset` and `length` say where. */
  find(key: string): PageHandle | undefined {
    if (typeof key !== "string") return undefined;
    const table = this.#table;
    const hash = hashOf(key);
    for (let at = firstAt(table, hash); table[at + slotAt] !== 0; at = nextAt(table, at)) {
      if (table[at + hashAt] !== hash) continue;
      const slot = table[at + slotAt]!;
      if ((slot & maxKeyLength) !== key.length) continue;
      const handle = this.#slots[slot >>> keyLengthBits]!;
      if (handle.bytes === undefined || handle.serial !== table[at + serialAt]) continue;
      const value = table[at + valueAt]!;
      const offset = value >>> lengthBits;
      if (!isAt(key, handle.bytes, offset - key.length)) continue;
      this.offset = offset;
      this.length = value & maxLength;
      return handle;
    }
    return undefined;
  }

  /** Notes a place; without a handle the page is not of the newest state any more. */
  note(key: string, handle: PageHandle | undefined, offset: number, length: number): void {
    if (handle?.bytes === undefined || !isAt(key, handle.bytes, offset - key.length)) return;
    if (key.length > maxKeyLength || offset > maxOffset || length > maxLength) return;
    if (this.#count >= this.#table.length / placeWords / 2) this.#makeRoom();
    const hash = hashOf(key);
    const table = this.#table;
    let at = firstAt(table, hash);
    // A place of this key on a page that is gone, or of another key with the same hash on one, is of no use any more.
    while (table[at + slotAt] !== 0 && !(table[at + hashAt] === hash && this.#isGone(table, at)))
      at = nextAt(table, at);
    if (table[at + slotAt] === 0) this.#count++;
    table[at + hashAt] = hash;
    table[at + serialAt] = handle.serial;
    table[at + slotAt] = (this.#slotFor(handle) << keyLengthBits) | key.length;
    table[at + valueAt] = (offset << lengthBits) | length;
  }

  #isGone(table: Int32Array, at: number): boolean {
    const handle = this.#slots[table[at + slotAt]! >>> keyLengthBits]!;
    return handle.bytes === undefined || handle.serial !== table[at + serialAt];
  }

  /** The slot of a page: the one it has, or one whose page is gone, or a new one. */
  #slotFor(handle: PageHandle): number {
    const slots = this.#slots;
    if (slots[handle.slot] === handle) return handle.slot;
    let slot = slots.length;
    for (let tries = 0; tries < slotsTried && slots.length > 1; tries++) {
      this.#hand = (this.#hand % (slots.length - 1)) + 1;
      if (slots[this.#hand]!.bytes === undefined) {
        slot = this.#hand;
        break;
      }
    }
    slots[slot] = handle;
    handle.slot = slot;
    return slot;
  }

  /** Drops the places that are gone; where that is not much, the table becomes larger, or is begun anew. */
  #makeRoom(): void {
    const old = this.#table;
    let live = 0;
    for (let at = 0; at < old.length; at += placeWords) if (old[at + slotAt] !== 0 && !this.#isGone(old, at)) live++;
    if (live >= maxPlaces || this.#slots.length >= maxSlots) {
      old.fill(0);
      this.#slots = [undefined];
      this.#hand = 0;
      this.#count = 0;
      return;
    }
    const isFull = live > old.length / placeWords / 4;
    const table = new Int32Array(isFull ? 2 * old.length : old.length);
    for (let from = 0; from < old.length; from += placeWords) {
      if (old[from + slotAt] === 0 || this.#isGone(old, from)) continue;
      let at = firstAt(table, old[from + hashAt]!);
      while (table[at + slotAt] !== 0) at = nextAt(table, at);
      for (let word = 0; word < placeWords; word++) table[at + word] = old[from + word]!;
    }
    this.#table = table;
    this.#count = live;
  }
}

/** FNV-1a of the characters, its high bits mixed into the low ones. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function firstAt(table: Int32Array, hash: number): number {
  return (hash * placeWords) & (table.length - placeWords);
}

function nextAt(table: Int32Array, at: number): number {
  return (at + placeWords) & (table.length - placeWords);
}

/** Whether the characters of a key, all of them ASCII, are the bytes from `start` on. */
function isAt(key: string, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code > 0x7f || bytes[start + at] !== code) return false;
  }
  return start >= 0;
}
