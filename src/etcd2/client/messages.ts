/** A key or a directory as the v2 API shows it (etcd's documentation, "v2/api.md"). */
export interface EtcdNode {
  /** From the slash on; the root has none. */
  readonly key?: string;
  readonly value?: string;
  readonly dir?: boolean;
  /** The content of a directory, where it was asked for. */
  readonly nodes?: readonly EtcdNode[];
  /** The index of the last write, a renewal of the ttl included. */
  readonly modifiedIndex: number;
  /** The index of the write that made or replaced it; comparing writes and renewals keep it. */
  readonly createdIndex: number;
  /** When it goes, by the clock of the member that took the write; only with a ttl. */
  readonly expiration?: string;
}

export type EtcdAction =
  | "get"
  | "set"
  | "create"
  | "update"
  | "delete"
  | "expire"
  | "compareAndSwap"
  | "compareAndDelete";

/** What a write did, or what a watch saw. */
export interface EtcdEvent {
  readonly action: EtcdAction;
  readonly node: EtcdNode;
  /** What was there before. */
  readonly prevNode?: EtcdNode;
}

/** What a read found. */
export interface EtcdState {
  readonly node: EtcdNode;
  /** The index of the member's whole store at that moment: a watch from the next one misses nothing. */
  readonly index: number;
}

/** Error codes of the v2 API (etcd's source, `api/v2v3` and `etcdserver/api/v2error`). */
export const errorCodes = {
  keyNotFound: 100,
  compareFailed: 101,
  notFile: 102,
  notDirectory: 104,
  keyExists: 105,
  rootReadOnly: 107,
  directoryNotEmpty: 108,
  unauthorized: 110,
  raftInternal: 300,
  leaderElection: 301,
  indexCleared: 401,
} as const;
