import type { StoreError } from "../core/errors.js";
import type { Decode } from "./decode.js";
import type { InvalidValueError } from "./invalid-value-error.js";
import type { MirrorEntry } from "./mirror-entries.js";
import type { StandardSchema } from "./standard-schema.js";

/** What becomes of a key whose value is not valid: it keeps its last good value, or is absent. */
export type InvalidPolicy = "keep" | "drop";

export interface MirrorOptions<T> {
  /** Values are JSON that this validator takes; `get` gives what it makes of them. Without it, values are text. */
  schema?: StandardSchema<unknown, T> | undefined;
  /** Instead of `schema`: what `get` gives for a pair. What it throws makes the value invalid. */
  decode?: Decode<T> | undefined;
  /** Default `keep`: the last good value stays; a key that never had one is absent. */
  invalid?: InvalidPolicy | undefined;
  /**
   * How often the store is asked whether it answers, in milliseconds, so that a mirror that a silent network cuts off is
   * `stale` this much and the store's timeout later at the latest. Default 5,000.
   */
  probeIntervalMs?: number | undefined;
  /** Told of each value that is not valid. */
  onInvalid?: ((error: InvalidValueError) => void) | undefined;
}

/** One key that changed in a mirror. */
export type MirrorChange<T> =
  | {
      readonly type: "put";
      readonly key: string;
      readonly entry: MirrorEntry<T>;
      readonly previous: MirrorEntry<T> | undefined;
    }
  | { readonly type: "delete"; readonly key: string; readonly previous: MirrorEntry<T> };

/**
 * `loading`: nothing has been read yet. `current`: what the mirror shows is what the store said last. `stale`: the store
 * cannot be reached, and what the mirror shows may be old. `closed`: nothing more comes.
 */
export type MirrorState = "loading" | "current" | "stale" | "closed";

export interface MirrorStateChange {
  readonly state: MirrorState;
  readonly previous: MirrorState;
  /** Why, where there is a reason. */
  readonly reason?: StoreError | undefined;
}

/** A local copy of a directory. Made by `createMirror`. */
export interface Mirror<T> {
  readonly directory: string;
  /** Resolves when the first complete state is there; rejects when the mirror ends before. */
  readonly ready: Promise<void>;
  readonly state: MirrorState;
  /** Whether what is shown may be older than what the store holds: true unless the state is `current`. */
  readonly stale: boolean;
  readonly size: number;
  /** The keys whose value is not valid now, and why. */
  readonly invalid: ReadonlyMap<string, InvalidValueError>;
  /** The value of a key, by its whole name; `undefined` when absent. Throws `INVALID_ARGUMENT` before `ready`. */
  get(key: string): T | undefined;
  /** The same with the revision. */
  entry(key: string): MirrorEntry<T> | undefined;
  /** All entries below a directory, sorted by key; without one, all. Throws `INVALID_ARGUMENT` before `ready`. */
  list(directory?: string): readonly MirrorEntry<T>[];
  /** Tells of the changes that the mirror has just taken in, those of one moment together; not of the first state. */
  onChange(listener: (changes: readonly MirrorChange<T>[]) => void): () => void;
  onStateChange(listener: (change: MirrorStateChange) => void): () => void;
  /** Ends the watch. What was read last can still be read. */
  close(): void;
  [Symbol.dispose](): void;
}
