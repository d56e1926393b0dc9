import { type Acl, readAclEntry, writeAcl } from "./acl.js";
import type { JuteReader, JuteWriter } from "./codec.js";
import { NoNodeError } from "./error-codes.js";
import type { ZooKeeperError } from "./errors.js";
import { Opcode, type ServerLevel } from "./records.js";
import { Reply, Stat, type Zxid } from "./stat.js";

/** One kind of request: how it is written and its answer read. `Args` hold paths as the server knows them. */
export interface Operation<Args, Result> {
  /** The client's call, for errors. */
  readonly name: string;
  readonly opcode: number;
  /** The first release line that has it. */
  readonly since: ServerLevel;
  /** Whether it changes data, so that a lost answer leaves its outcome unknown. */
  readonly isWrite: boolean;
  /** What to send to older servers instead. */
  readonly fallback?: Operation<Args, Result> | undefined;
  write(writer: JuteWriter, args: Args): void;
  /** The answer, or the error it holds. */
  read(reader: JuteReader, zxid: Zxid, args: Args): Result | ZooKeeperError;
  /** What an error code from the server means as a result; undefined when it is an error. */
  resultOf?(code: number, zxid: Zxid): Result | undefined;
  /** The first release line that takes these arguments, where that is later than `since`. */
  sinceFor?(args: Args): ServerLevel;
  /** The arguments with the caller's bytes copied, for a request that has to wait before it is written. */
  detach?(args: Args): Args;
  /** Whether it makes no sense in any session but the present one. */
  needsSession?(args: Args): boolean;
}

export interface PathArgs {
  readonly path: string;
}

/** The answer to `getData`; null data is a node that was created without any, which is not the same as empty. */
export class DataReply extends Reply {
  readonly data: Buffer | null;
  readonly stat: Stat;
  constructor(zxid: Zxid, reader: JuteReader) {
    super(zxid);
    this.data = reader.buffer();
    this.stat = new Stat(reader);
  }
}

/** The answer to `setData` and `setAcl`. */
export class StatReply extends Reply {
  readonly stat: Stat;
  constructor(zxid: Zxid, stat: Stat) {
    super(zxid);
    this.stat = stat;
  }
}

/** The answer to `exists`: no `stat` when there is no such node. */
export class ExistsReply extends Reply {
  readonly stat: Stat | undefined;
  constructor(zxid: Zxid, stat: Stat | undefined) {
    super(zxid);
    this.stat = stat;
  }
}

/** The answer to `getChildren`: names, in no particular order. */
export class ChildrenReply extends Reply {
  readonly children: string[];
  readonly stat: Stat;
  constructor(zxid: Zxid, reader: JuteReader) {
    super(zxid);
    this.children = reader.vector(readString);
    this.stat = new Stat(reader);
  }
}

/** The answer to `getAcl`. */
export class AclReply extends Reply {
  readonly acl: Acl[];
  readonly stat: Stat;
  constructor(zxid: Zxid, reader: JuteReader) {
    super(zxid);
    this.acl = reader.vector(readAclEntry);
    this.stat = new Stat(reader);
  }
}

/** An authenticated identity of the connection. */
export interface ClientIdentity {
  readonly scheme: string;
  readonly user: string;
}

export const readString = (reader: JuteReader): string => reader.string();

const writePath = (writer: JuteWriter, args: PathArgs): void => writer.string(args.path);

interface ReadArgs extends PathArgs {
  readonly watch: boolean;
}

function writeRead(writer: JuteWriter, args: ReadArgs): void {
  writer.string(args.path);
  writer.bool(args.watch);
}

export const getDataOperation: Operation<ReadArgs, DataReply> = {
  name: "getData",
  opcode: Opcode.getData,
  since: 3.4,
  isWrite: false,
  write: writeRead,
  read: (reader, zxid) => new DataReply(zxid, reader),
};

export const existsOperation: Operation<ReadArgs, ExistsReply> = {
  name: "exists",
  opcode: Opcode.exists,
  since: 3.4,
  isWrite: false,
  write: writeRead,
  read: (reader, zxid) => new ExistsReply(zxid, new Stat(reader)),
  resultOf: (code, zxid) => (code === NoNodeError.code ? new ExistsReply(zxid, undefined) : undefined),
};

export const getChildrenOperation: Operation<ReadArgs, ChildrenReply> = {
  name: "getChildren",
  opcode: Opcode.getChildren2,
  since: 3.4,
  isWrite: false,
  write: writeRead,
  read: (reader, zxid) => new ChildrenReply(zxid, reader),
};

export interface SetDataArgs extends PathArgs {
  readonly data: Uint8Array | null;
  readonly version: number;
}

export function writeSetData(writer: JuteWriter, args: SetDataArgs): void {
  writer.string(args.path);
  writer.buffer(args.data);
  writer.int(args.version);
}

/** The same arguments with bytes of their own. */
export function detachData<Args extends { readonly data: Uint8Array | null }>(args: Args): Args {
  return args.data === null ? args : { ...args, data: Uint8Array.from(args.data) };
}

export const setDataOperation: Operation<SetDataArgs, StatReply> = {
  name: "setData",
  opcode: Opcode.setData,
  since: 3.4,
  isWrite: true,
  write: writeSetData,
  read: (reader, zxid) => new StatReply(zxid, new Stat(reader)),
  detach: detachData,
};

export interface DeleteArgs extends PathArgs {
  readonly version: number;
}

export function writePathAndVersion(writer: JuteWriter, args: DeleteArgs): void {
  writer.string(args.path);
  writer.int(args.version);
}

export const deleteOperation: Operation<DeleteArgs, Reply> = {
  name: "delete",
  opcode: Opcode.delete,
  since: 3.4,
  isWrite: true,
  write: writePathAndVersion,
  read: (_, zxid) => new Reply(zxid),
};

export const getAclOperation: Operation<PathArgs, AclReply> = {
  name: "getAcl",
  opcode: Opcode.getAcl,
  since: 3.4,
  isWrite: false,
  write: writePath,
  read: (reader, zxid) => new AclReply(zxid, reader),
};

interface SetAclArgs extends PathArgs {
  readonly acl: readonly Acl[];
  readonly version: number;
}

export const setAclOperation: Operation<SetAclArgs, StatReply> = {
  name: "setAcl",
  opcode: Opcode.setAcl,
  since: 3.4,
  isWrite: true,
  write(writer, args) {
    writer.string(args.path);
    writer.vector(args.acl, writeAcl);
    writer.int(args.version);
  },
  read: (reader, zxid) => new StatReply(zxid, new Stat(reader)),
};

export const syncOperation: Operation<PathArgs, Reply> = {
  name: "sync",
  opcode: Opcode.sync,
  since: 3.4,
  isWrite: false,
  write: writePath,
  read: (_, zxid) => new Reply(zxid),
};

export const getEphemeralsOperation: Operation<PathArgs, string[]> = {
  name: "getEphemerals",
  opcode: Opcode.getEphemerals,
  since: 3.6,
  isWrite: false,
  write: writePath,
  read: (reader) => reader.vector(readString),
};

export const countDescendantsOperation: Operation<PathArgs, number> = {
  name: "getAllChildrenNumber",
  opcode: Opcode.getAllChildrenNumber,
  since: 3.6,
  isWrite: false,
  write: writePath,
  read: (reader) => reader.int(),
};

export const whoAmIOperation: Operation<void, ClientIdentity[]> = {
  name: "whoAmI",
  opcode: Opcode.whoAmI,
  since: 3.7,
  isWrite: false,
  write() {},
  read: (reader) => reader.vector((entry) => ({ scheme: entry.string(), user: entry.string() })),
};
