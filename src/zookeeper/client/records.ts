import type { JuteReader, JuteWriter } from "./codec.js";

/** Numbers of the operations (`ZooDefs.OpCode`, ZooKeeper 3.9). */
export const Opcode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  closeSession: -11,
  error: -1,
} as const;

/** Transaction numbers with a meaning of their own; all other requests count up from 1 (`ClientCnxn`, ZooKeeper 3.9). */
export const Xid = { notification: -1, ping: -2, auth: -4, setWatches: -8 } as const;

/**
 * The oldest release line that has what a server was seen to have. 3.5 brought create2, containers, TTL nodes and
 * removeWatches; 3.6 multi-read, addWatch, setWatches2, getEphemerals and getAllChildrenNumber; 3.7 whoAmI.
 */
export type ServerLevel = 3.4 | 3.5 | 3.6 | 3.7;

/** The first thing a client says (`org.apache.zookeeper.proto.ConnectRequest`). */
export interface ConnectRequest {
  readonly lastZxidSeen: bigint;
  readonly timeoutMs: number;
  /** 0n for a new session. */
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  readonly readOnly: boolean;
}

export function writeConnectRequest(writer: JuteWriter, request: ConnectRequest): void {
  writer.int(0); // protocol version
  writer.long(request.lastZxidSeen);
  writer.int(request.timeoutMs);
  writer.long(request.sessionId);
  writer.buffer(request.password);
  writer.bool(request.readOnly);
}

/** The server's answer to it; a `timeoutMs` of 0 or less means that the session asked for is gone. */
export interface ConnectResponse {
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
  readonly readOnly: boolean;
}

export function readConnectResponse(reader: JuteReader): ConnectResponse {
  reader.int(); // protocol version
  const timeoutMs = reader.int();
  const sessionId = reader.long();
  const password = Buffer.from(reader.buffer() ?? []);
  // Servers before 3.4 end here.
  const readOnly = reader.remaining > 0 && reader.bool();
  return { timeoutMs, sessionId, password, readOnly };
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  readonly code: number;
}

export function readReplyHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int(), zxid: reader.long(), code: reader.int() };
}

/** What a watch can tell; the protocol's numbers are `Watcher.Event.EventType`. */
export type EventType =
  | "nodeCreated"
  | "nodeDeleted"
  | "nodeDataChanged"
  | "nodeChildrenChanged"
  | "dataWatchRemoved"
  | "childWatchRemoved"
  | "persistentWatchRemoved";

const eventTypes = new Map<number, EventType>([
  [1, "nodeCreated"],
  [2, "nodeDeleted"],
  [3, "nodeDataChanged"],
  [4, "nodeChildrenChanged"],
  [5, "dataWatchRemoved"],
  [6, "childWatchRemoved"],
  [7, "persistentWatchRemoved"],
]);

/** A notification (`org.apache.zookeeper.proto.WatcherEvent`); `type` is undefined for what concerns no node. */
export interface WatcherEvent {
  readonly type: EventType | undefined;
  readonly path: string;
}

export function readWatcherEvent(reader: JuteReader): WatcherEvent {
  const type = eventTypes.get(reader.int());
  reader.int(); // the state of the connection, which a connected client knows
  return { type, path: reader.string() };
}

export function writeAuthPacket(writer: JuteWriter, scheme: string, credentials: Uint8Array): void {
  writer.int(0); // type, always 0
  writer.string(scheme);
  writer.buffer(credentials);
}

/** The watches to set again after a reconnect (`SetWatches`, and since 3.6 `SetWatches2`). */
export interface WatchPaths {
  readonly data: string[];
  readonly exists: string[];
  readonly children: string[];
  readonly persistent: string[];
  readonly recursive: string[];
}

const writePath = (writer: JuteWriter, path: string): void => writer.string(path);

export function writeSetWatches(writer: JuteWriter, lastZxid: bigint, paths: WatchPaths, level: ServerLevel): void {
  writer.long(lastZxid);
  writer.vector(paths.data, writePath);
  writer.vector(paths.exists, writePath);
  writer.vector(paths.children, writePath);
  if (level < 3.6) return;
  writer.vector(paths.persistent, writePath);
  writer.vector(paths.recursive, writePath);
}
