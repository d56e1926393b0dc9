import type { PageHandle } from "./engine/page.js";

/** So many keys are remembered; when more are in use all are forgotten and learned anew. */
const maxPlaces = 128 * 1024;
const smallestTable = 1024;

/** What is kept of a place, in words: four places fill a cache line. The value's offset and length share the last. */
const hashAt = 0;
const serialAt = 1;
const slotAt = 2;
const valueAt = 3;
const placeWords = 4;
const lengthBits = 12;
const maxLength = 2 ** lengthBits - 1;
const maxOffset = 2 ** 20 - 1;

/** Keys that meet in the table are looked for in so many places. */
const mostTried = 16;
/** How many slots are looked through for one whose page is gone, before there is another slot. */
const slotsTried = 4;

/**
 * Where the stored values are of keys that were read before. A committed page never changes, so while it is part of the
 * newest state what it says of a key is true, and a read need not come down the tree. A page that is replaced or leaves the
 * cache lets go of its handle, and with it of all places on it.
 *
 * A hash table of numbers, with open addressing, beside one of the keys: a `Map` leads through half a dozen objects, each of
 * them in memory that the processor has to wait for. Values of 4 KiB or more are not remembered.
 */
export class KeyPlaces {
  /** Of the place found last: the stored value's first byte and its length. */
  offset = 0;
  length = 0;
  #table = new Int32Array(placeWords * smallestTable);
  #keys: (string | undefined)[] = emptyKeys(smallestTable);
  #count = 0;
  /** The handles of the pages that places are on; the first slot stays empty, as 0 is none. */
  #slots: (PageHandle | undefined)[] = [undefined];
  #hand = 0;

  /** The handle of the page that has the key, or undefined when it has to be looked for; `offset` and `length` say where. */
  find(key: string): PageHandle | undefined {
    if (typeof key !== "string") return undefined;
    const table = this.#table;
    const hash = hashOf(key);
    let at = firstAt(table, hash);
    for (let tried = 0; tried < mostTried && table[at + slotAt] !== 0; tried++, at = nextAt(table, at)) {
      if (table[at + hashAt] !== hash || this.#keys[at / placeWords] !== key) continue;
      const handle = this.#slots[table[at + slotAt]!]!;
      if (handle.bytes === undefined || handle.serial !== table[at + serialAt]) return undefined;
      const value = table[at + valueAt]!;
      this.offset = value >>> lengthBits;
      this.length = value & maxLength;
      return handle;
    }
    return undefined;
  }

  /** Notes a place; without a handle the page is not of the newest state any more. */
  note(key: string, handle: PageHandle | undefined, offset: number, length: number): void {
    if (handle?.bytes === undefined || offset > maxOffset || length > maxLength) return;
    if (this.#count >= this.#keys.length / 2) this.#makeRoom();
    const at = this.#placeFor(key, hashOf(key));
    if (at === undefined) return;
    const table = this.#table;
    table[at + serialAt] = handle.serial;
    table[at + slotAt] = this.#slotFor(handle);
    table[at + valueAt] = (offset << lengthBits) | length;
  }

  /** The key's place, or one that is free or gone, with the key and its hash in it; undefined where too many keys meet. */
  #placeFor(key: string, hash: number): number | undefined {
    const table = this.#table;
    let at = firstAt(table, hash);
    for (let tried = 0; tried < mostTried; tried++, at = nextAt(table, at)) {
      const isFree = table[at + slotAt] === 0;
      if (!isFree && this.#keys[at / placeWords] !== key && !this.#isGone(table, at)) continue;
      if (isFree) this.#count++;
      table[at + hashAt] = hash;
      this.#keys[at / placeWords] = key;
      return at;
    }
    return undefined;
  }

  #isGone(table: Int32Array, at: number): boolean {
    const handle = this.#slots[table[at + slotAt]!]!;
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
    const [table, keys] = [this.#table, this.#keys];
    const isLive = (at: number): boolean => table[at + slotAt] !== 0 && !this.#isGone(table, at);
    let live = 0;
    for (let at = 0; at < table.length; at += placeWords) if (isLive(at)) live++;
    const isFull = live >= maxPlaces;
    const size = isFull || live <= keys.length / 4 ? keys.length : 2 * keys.length;
    this.#table = new Int32Array(placeWords * size);
    this.#keys = emptyKeys(size);
    this.#count = 0;
    if (isFull) {
      this.#slots = [undefined];
      this.#hand = 0;
      return;
    }
    for (let from = 0; from < table.length; from += placeWords) {
      if (!isLive(from)) continue;
      const at = this.#placeFor(keys[from / placeWords]!, table[from + hashAt]!);
      if (at === undefined) continue;
      for (const word of [serialAt, slotAt, valueAt]) this.#table[at + word] = table[from + word]!;
    }
  }
}

function emptyKeys(size: number): (string | undefined)[] {
  return Array.from({ length: size }, () => undefined);
}

/** The last characters, which mostly tell keys apart, are looked at one by one; of long keys eight or so of the others. */
const lastCharacters = 4;

/** FNV-1a of some of the characters and the length, its high bits mixed into the low ones. */
function hashOf(key: string): number {
  const { length } = key;
  const step = length >>> 3 || 1;
  const last = Math.max(length - lastCharacters, 0);
  let hash = 0x811c9dc5 ^ length;
  for (let at = 0; at < last; at += step) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  for (let at = last; at < length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  return hash ^ (hash >>> 15);
}

function firstAt(table: Int32Array, hash: number): number {
  return (hash * placeWords) & (table.length - placeWords);
}

function nextAt(table: Int32Array, at: number): number {
  return (at + placeWords) & (table.length - placeWords);
}
