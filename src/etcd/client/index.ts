/** etcd's v3 API on gRPC, usable without the rest of Kvasir. */
export type { EtcdCallOptions } from "./channel.js";
export { EtcdClient, type EtcdClientOptions } from "./client.js";
export type { EtcdConnectionState } from "./endpoints.js";
export { EtcdError, type EtcdErrorReason, type EtcdOutcome, isPassing } from "./errors.js";
export type {
  Compare,
  DeleteRangeResponse,
  KeyValue,
  PutResponse,
  RangeResponse,
  RequestOp,
  ResponseHeader,
  ResponseOp,
  TxnOutcome,
  TxnRequest,
  TxnResponse,
} from "./generated/kv.js";
export type { AlarmMember, Member, StatusResponse } from "./generated/maintenance.js";
export { type Event, Event_EventType, WatchCreateRequest_FilterType } from "./generated/watch.js";
export type { LeaseTerm } from "./keep-alive.js";
export type { EtcdKv, WithKey } from "./kv.js";
export type { EtcdLeases } from "./lease.js";
export * from "./messages.js";
export type { EtcdTlsOptions } from "./options.js";
export type { EtcdWatch, WatchHandler, WatchRequestOptions } from "./watch.js";
export type { WatcherSettings } from "./watch-pulse.js";
export type { EtcdWatcher } from "./watcher.js";
