import type { PageHandle } from "./engine/page.js";

/** So many keys are remembered; when more are in use all are forgotten and learned anew. */
const maxPlaces = 128 * 1024;

/** Where the stored value of a key lies, for as long as its page is part of the newest state. */
interface Place {
  handle: PageHandle;
  offset: number;
  length: number;
}

/**
 * Where the keys are that were read before. A committed page never changes, so while it is part of the newest state what it
 * says of a key is true, and a read need not come down the tree. A page that is replaced or leaves the cache lets go of its
 * handle, and with it of all places on it.
 */
export class KeyPlaces {
  readonly #places = new Map<string, Place>();

  /** The place of a key; undefined when it has to be looked for. */
  find(key: string): Place | undefined {
    const place = this.#places.get(key);
    return place?.handle.bytes === undefined ? undefined : place;
  }

  /** Notes a place; without a handle the page is not of the newest state any more. */
  note(key: string, handle: PageHandle | undefined, offset: number, length: number): void {
    if (handle === undefined) return;
    const place = this.#places.get(key);
    if (place !== undefined) {
      place.handle = handle;
      place.offset = offset;
      place.length = length;
      return;
    }
    if (this.#places.size >= maxPlaces) this.#places.clear();
    this.#places.set(key, { handle, offset, length });
  }
}
