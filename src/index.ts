export type { Capabilities } from "./core/capabilities.js";
export type { BatchEvent, CallEvent, StateEvent, WatchEvent } from "./core/diagnostics.js";
export { connect, type BackendConnector, type ConnectOptions, type ConnectTarget } from "./connect.js";
export { isStoreError, type Outcome, StoreError, type StoreErrorCode, storeErrorCodes } from "./core/errors.js";
export type { StoreOptions } from "./core/options.js";
export { KVPair } from "./core/pair.js";
export type * from "./core/store.js";
