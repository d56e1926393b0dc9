import { type Operation, type PathArgs } from "./operations.js";
import { Opcode, type ServerLevel, type WatchPaths, writeAuthPacket, writeSetWatches } from "./records.js";

interface AddWatchArgs extends PathArgs {
  readonly recursive: boolean;
}

/** Which watches of this connection on a path to remove (`Watcher.WatcherType`). */
export const watcherTypes = { children: 1, data: 2, any: 3 } as const;

interface RemoveWatchesArgs extends PathArgs {
  readonly type: keyof typeof watcherTypes;
}

export const addWatchOperation: Operation<AddWatchArgs, void> = {
  name: "addWatch",
  opcode: Opcode.addWatch,
  since: 3.6,
  isWrite: false,
  write(writer, args) {
    writer.string(args.path);
    writer.int(args.recursive ? 1 : 0);
  },
  read() {},
};

export const removeWatchesOperation: Operation<RemoveWatchesArgs, void> = {
  name: "removeWatches",
  opcode: Opcode.removeWatches,
  since: 3.5,
  isWrite: false,
  write(writer, args) {
    writer.string(args.path);
    writer.int(watcherTypes[args.type]);
  },
  read() {},
};

interface SetWatchesArgs {
  readonly lastZxid: bigint;
  readonly paths: WatchPaths;
  readonly level: ServerLevel;
}

const setWatches: Operation<SetWatchesArgs, void> = {
  name: "setWatches",
  opcode: Opcode.setWatches,
  since: 3.4,
  isWrite: false,
  write: (writer, args) => writeSetWatches(writer, args.lastZxid, args.paths, args.level),
  read() {},
};

export const setWatchesOperation: Operation<SetWatchesArgs, void> = {
  ...setWatches,
  opcode: Opcode.setWatches2,
  since: 3.6,
  fallback: setWatches,
};

interface AuthArgs {
  readonly scheme: string;
  readonly credentials: Uint8Array;
}

export const authOperation: Operation<AuthArgs, void> = {
  name: "auth",
  opcode: Opcode.auth,
  since: 3.4,
  isWrite: false,
  write: (writer, args) => writeAuthPacket(writer, args.scheme, args.credentials),
  read() {},
};

export const saslOperation: Operation<Uint8Array, Buffer> = {
  name: "sasl",
  opcode: Opcode.sasl,
  since: 3.4,
  isWrite: false,
  write: (writer, token) => writer.buffer(token),
  read: (reader) => reader.buffer() ?? Buffer.alloc(0),
};

export const pingOperation: Operation<void, void> = {
  name: "ping",
  opcode: Opcode.ping,
  since: 3.4,
  isWrite: false,
  write() {},
  read() {},
};

export const closeSessionOperation: Operation<void, void> = {
  name: "close",
  opcode: Opcode.closeSession,
  since: 3.4,
  isWrite: false,
  write() {},
  read() {},
};
