import { isBelow } from "./keys.js";

/** What a write touches: some keys, or everything below a directory. */
export type WriteScope = { readonly keys: readonly string[] } | { readonly tree: string };

/** A write's place in the order; `done()` lets those behind it go. */
export interface Turn {
  done(): void;
}

class Place implements Turn {
  readonly scope: WriteScope;
  readonly start: () => void;
  readonly #ready: (place: Place) => void;
  readonly #leave: (place: Place) => void;
  #behind: Place[] | undefined;
  #ahead = 0;
  #finished = false;

  constructor(scope: WriteScope, start: () => void, ready: (place: Place) => void, leave: (place: Place) => void) {
    this.scope = scope;
    this.start = start;
    this.#ready = ready;
    this.#leave = leave;
  }

  waitFor(other: Place): void {
    if (other.#finished) return;
    (other.#behind ??= []).push(this);
    this.#ahead++;
  }

  startIfFree(): void {
    if (this.#ahead === 0) this.#ready(this);
  }

  done(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#leave(this);
    for (const place of this.#behind ?? []) {
      place.#ahead--;
      place.startIfFree();
    }
  }
}

/**
 * Keeps the writes of a store in order: two that touch the same key, or a tree and a key in it, start in the order
 * they were called, the second when the first is done. Others do not wait for each other.
 */
export class WriteOrder {
  /** The last write of each key that is not done; no `Map`, for the reason that `LinkedList` has. */
  readonly #lastOfKey: Record<string, Place | undefined> = Object.create(null);
  readonly #trees = new Set<Place>();
  /** Those whose turn has come while another is being started. */
  readonly #ready: Place[] = [];
  #starting = false;

  /** Calls `start` when every earlier write in the way is done: at once, in most cases. `start` must lead to `done()`. */
  enter(scope: WriteScope, start: (turn: Turn) => void): void {
    const place = new Place(scope, () => start(place), this.#start, this.#leave);
    if ("tree" in scope) this.#enterTree(place, scope.tree);
    else this.#enterKeys(place, scope.keys);
    place.startIfFree();
  }

  #enterTree(place: Place, directory: string): void {
    for (const key in this.#lastOfKey) if (isBelow(key, directory)) place.waitFor(this.#lastOfKey[key]!);
    for (const tree of this.#trees) place.waitFor(tree);
    this.#trees.add(place);
  }

  #enterKeys(place: Place, keys: readonly string[]): void {
    for (const key of keys) {
      const last = this.#lastOfKey[key];
      if (last !== undefined) place.waitFor(last);
      for (const tree of this.#trees) {
        if ("tree" in tree.scope && isBelow(key, tree.scope.tree)) place.waitFor(tree);
      }
      this.#lastOfKey[key] = place;
    }
  }

  /** A loop and no recursion: after an outage thousands that gave up may stand behind each other. */
  readonly #start = (place: Place): void => {
    this.#ready.push(place);
    if (this.#starting) return;
    this.#starting = true;
    for (const next of this.#ready) next.start();
    this.#ready.length = 0;
    this.#starting = false;
  };

  readonly #leave = (place: Place): void => {
    if ("tree" in place.scope) {
      this.#trees.delete(place);
      return;
    }
    for (const key of place.scope.keys) if (this.#lastOfKey[key] === place) delete this.#lastOfKey[key];
  };
}
