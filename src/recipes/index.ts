export type { Decode } from "./decode.js";
export { InvalidValueError } from "./invalid-value-error.js";
export type {
  InvalidPolicy,
  Mirror,
  MirrorChange,
  MirrorOptions,
  MirrorState,
  MirrorStateChange,
} from "./mirror.js";
export type { MirrorEntry } from "./mirror-entries.js";
export type { StandardIssue, StandardResult, StandardSchema } from "./standard-schema.js";
export { type Typed, typed, type TypedUpdater, type TypedWatchOptions } from "./typed.js";
export { createMirror } from "./watched-mirror.js";
export { withLock, type WithLockOptions } from "./with-lock.js";
