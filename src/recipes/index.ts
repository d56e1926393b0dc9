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
export { withHold, withLock, type WithLockOptions } from "./with-lock.js";
export { type Barrier, type BarrierOptions, type BarrierVisit, createBarrier } from "./barrier.js";
export type { TermFunction } from "./campaign.js";
export { type Candidate, type CandidateOptions, createCandidate, type RunOptions } from "./candidate.js";
export { type Counter, createCounter } from "./counter.js";
export { leaderOf, observeLeader } from "./leader.js";
export { createRWLock, type LockMode, type RWLock, type RWLockOptions } from "./rw-lock.js";
export { createSemaphore, type Semaphore, type SemaphoreHold, type SemaphoreOptions } from "./semaphore.js";
export { createSequence, type Sequence, type SequenceOptions } from "./sequence.js";
export type { Term } from "./term.js";
export { createDiscovery } from "./create-discovery.js";
export type {
  Discovery,
  DiscoveryOptions,
  Instance,
  PickStrategy,
  RegisterOptions,
  Registration,
  RegistrationChange,
  RegistrationState,
  ServiceChange,
} from "./discovery.js";
export type { HealthCheck, HealthCheckTiming } from "./health-check.js";
