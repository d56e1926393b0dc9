/** A ZooKeeper client in pure TypeScript: `connect` opens a session. */
export { type Acl, creatorAcl, digestId, openAcl, permissions, readAcl } from "./acl.js";
export { type Auth, digestAuth, type SaslAuth, type SaslExchange, type SchemeAuth } from "./auth.js";
export type { ReadOptions, VersionOptions, ZooKeeperClient } from "./client.js";
export { connect } from "./connect.js";
export type { CreateMode, CreateOptions, CreateReply } from "./create.js";
export * from "./error-codes.js";
export {
  AbortedError,
  BusyError,
  ClosedError,
  type ErrorContext,
  MultiError,
  type Outcome,
  RequestTooLargeError,
  ZooKeeperError,
} from "./errors.js";
export {
  type MultiOperation,
  type MultiReadChildren,
  type MultiReadOperation,
  type MultiReadResult,
  type MultiReply,
  type MultiResult,
  ReadFailure,
} from "./multi.js";
export type { AclReply, ChildrenReply, ClientIdentity, DataReply, ExistsReply, StatReply } from "./operations.js";
export type { ClientOptions } from "./options.js";
export type { EventType, ServerLevel } from "./records.js";
export type { RequestOptions } from "./request.js";
export { type DigestMd5Options, saslDigestMd5 } from "./sasl-digest-md5.js";
export type { StateChange } from "./session.js";
export type { SessionCredentials, SessionInfo, SessionState } from "./session-state.js";
export type { Reply, Stat } from "./stat.js";
export type { PersistentWatchHandle } from "./watch-keeper.js";
export type { Watcher, WatchEvent } from "./watches.js";
