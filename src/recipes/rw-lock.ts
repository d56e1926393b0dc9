import { randomUUID } from "node:crypto";
import { canonicalKey } from "../core/keys.js";
import type { CallOptions, Lock, LockHold, Store } from "../core/store.js";
import { withDeadline } from "./deadline.js";
import { linkSignals } from "./linked-signal.js";
import { throughOutages } from "./outages.js";
import { RecipeHold } from "./recipe-hold.js";
import { waitFor } from "./watched-wait.js";
import { releaseQuietly } from "./with-lock.js";

export interface RWLockOptions {
  /** How long the lock stays with a holder that is no longer heard of, in milliseconds. Default 15,000. */
  ttlMs?: number | undefined;
}

/** One way to hold a lock. Unlike a plain `Lock`, one object may be held any number of times at once. */
export interface LockMode {
  /** Waits until it is ours, through outages. Rejects with `TIMEOUT` after `timeoutMs`; without one it waits for ever. */
  lock(options?: CallOptions): Promise<LockHold>;
  /** The hold when it can be had now, otherwise `undefined`. */
  tryLock(options?: CallOptions): Promise<LockHold | undefined>;
}

/** Many readers, or one writer, among all clients of the server. */
export interface RWLock {
  readonly key: string;
  /** Shared with other readers. */
  readonly read: LockMode;
  /** Alone. Tokens grow from writer to writer. A writer that waits keeps new readers out. */
  readonly write: LockMode;
}

/**
 * A lock that many readers hold together, or one writer alone. It rests on plain locks below `key`: `key/door`, which a
 * writer holds as long as it writes, and `key/readers/<id>`, one for each reader. Both sides announce themselves first
 * and look at the other side afterwards, so of two who come at the same time at least one sees the other.
 */
export function createRWLock(store: Store, key: string, options: RWLockOptions = {}): RWLock {
  const place = { store, key: canonicalKey(key), ttlMs: options.ttlMs };
  return { key: place.key, read: new ReadMode(place), write: new WriteMode(place) };
}

interface Place {
  readonly store: Store;
  readonly key: string;
  readonly ttlMs: number | undefined;
}

/** What the door shows while a writer holds it, and while a reader passes that had to wait in line. */
const doorValues = { writer: "write", reader: "read" } as const;

/**
 * A reader that comes, finds the door closed and goes again may be met by a look and yet be no change that a watch tells
 * of: so a writer that has seen nobody in the watch looks again after so many milliseconds.
 */
const lookAgainMs = 100;

function newDoor({ store, key, ttlMs }: Place, value: string): Lock {
  return store.newLock(`${key}/door`, { value, ttlMs });
}

function readersOf({ key }: Place): string {
  return `${key}/readers`;
}

class ReadMode implements LockMode {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  lock(options?: CallOptions): Promise<LockHold> {
    const subject = { backend: this.#place.store.backend, key: this.#place.key, waitsFor: "the wait to read" };
    return withDeadline(subject, options, async (signal) => {
      const entry = await this.#announce(signal);
      const free = await this.#unlessWriter(entry, (ask) => throughOutages(ask, signal), { signal });
      return free ?? this.#passTheDoor(signal);
    });
  }

  async tryLock(options?: CallOptions): Promise<LockHold | undefined> {
    const subject = { backend: this.#place.store.backend, key: this.#place.key, waitsFor: "the try to read" };
    return withDeadline(subject, options, async (signal) => {
      const entry = await this.#newEntry().tryLock({ signal });
      return entry && this.#unlessWriter(entry, (ask) => ask(), { signal });
    });
  }

  #newEntry(): Lock {
    return this.#place.store.newLock(`${readersOf(this.#place)}/${randomUUID()}`, { ttlMs: this.#place.ttlMs });
  }

  /** The entry has a name of its own, so this waits for the store alone. */
  #announce(signal: AbortSignal): Promise<LockHold> {
    return this.#newEntry().lock({ signal });
  }

  /**
   * Keeps the entry unless a writer has the door. The entry was there before the door was looked at, and still is after
   * it: a writer that comes later finds it.
   */
  async #unlessWriter(
    entry: LockHold,
    ask: <T>(question: () => Promise<T>) => Promise<T>,
    options: CallOptions,
  ): Promise<LockHold | undefined> {
    const { store, key } = this.#place;
    try {
      const door = await ask(() => store.get(`${key}/door`, options));
      if (door?.text() !== doorValues.writer && entry.held) return new RecipeHold(key, entry);
    } catch (error) {
      await releaseQuietly(entry);
      throw error;
    }
    await releaseQuietly(entry);
    return undefined;
  }

  /** Takes its turn behind the writers: while it holds the door there is none, and its entry is there before it lets go. */
  async #passTheDoor(signal: AbortSignal): Promise<LockHold> {
    for (;;) {
      const door = await newDoor(this.#place, doorValues.reader).lock({ signal });
      try {
        const entry = await this.#announce(signal);
        if (door.held && entry.held) return new RecipeHold(this.#place.key, entry);
        await releaseQuietly(entry);
      } finally {
        await releaseQuietly(door);
      }
    }
  }
}

class WriteMode implements LockMode {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  lock(options?: CallOptions): Promise<LockHold> {
    const subject = { backend: this.#place.store.backend, key: this.#place.key, waitsFor: "the wait to write" };
    return withDeadline(subject, options, async (signal) => {
      for (;;) {
        const door = await newDoor(this.#place, doorValues.writer).lock({ signal });
        if (await this.#readersLeave(door, signal)) return new RecipeHold(this.#place.key, door);
        await releaseQuietly(door);
      }
    });
  }

  async tryLock(options?: CallOptions): Promise<LockHold | undefined> {
    const subject = { backend: this.#place.store.backend, key: this.#place.key, waitsFor: "the try to write" };
    return withDeadline(subject, options, async (signal) => {
      const door = await newDoor(this.#place, doorValues.writer).tryLock({ signal });
      if (door === undefined) return undefined;
      try {
        if ((await this.#noReaders(signal)) && door.held) return new RecipeHold(this.#place.key, door);
      } catch (error) {
        await releaseQuietly(door);
        throw error;
      }
      await releaseQuietly(door);
      return undefined;
    });
  }

  async #noReaders(signal: AbortSignal): Promise<boolean> {
    const { store } = this.#place;
    return (await store.keys(readersOf(this.#place), { limit: 1, signal })).length === 0;
  }

  /** Waits behind the closed door until the last reader has left; `false` when the door was lost meanwhile. */
  async #readersLeave(door: LockHold, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#place;
    const waiting = linkSignals(signal, door.signal);
    try {
      if (!(await throughOutages(() => this.#noReaders(waiting.signal), waiting.signal))) {
        const look = async (seen: readonly unknown[]): Promise<{ value: true } | undefined> =>
          seen.length === 0 && (await this.#noReaders(waiting.signal)) ? { value: true } : undefined;
        await waitFor(store, readersOf(this.#place), look, { signal: waiting.signal, againMs: lookAgainMs });
      }
      return door.held;
    } catch (error) {
      if (door.signal.aborted && !signal.aborted) return false;
      await releaseQuietly(door);
      throw error;
    } finally {
      waiting.unlink();
    }
  }
}
