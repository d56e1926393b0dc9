import { type Acl, openAcl, writeAcl } from "./acl.js";
import type { JuteReader, JuteWriter } from "./codec.js";
import { detachData, type Operation, type PathArgs } from "./operations.js";
import type { Chroot } from "./paths.js";
import { Opcode } from "./records.js";
import { Reply, Stat, type Zxid } from "./stat.js";

/** Flags of the create requests (`org.apache.zookeeper.CreateMode`, ZooKeeper 3.9). */
const createFlags = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  ttl: 5,
  ttlSequential: 6,
} as const;

/**
 * What kind of node: persistent, gone with the session (ephemeral), with ten digits appended that count up
 * (sequential), removed by the server once it has had children and has none (container, since 3.5), or removed when it
 * has had no change and no children for a while (ttl, since 3.5.3 on servers with `extendedTypesEnabled`).
 */
export type CreateMode = keyof typeof createFlags;

/** How to create a node. */
export interface CreateOptions {
  /** Default `persistent`. */
  readonly mode?: CreateMode | undefined;
  /** Default everybody, everything. */
  readonly acl?: readonly Acl[] | undefined;
  /** For the modes `ttl` and `ttlSequential`: how long a node without change and children stays, in milliseconds. */
  readonly ttlMs?: number | undefined;
}

export interface CreateArgs extends PathArgs {
  readonly data: Uint8Array | null;
  readonly acl: readonly Acl[];
  readonly mode: CreateMode;
  readonly ttlMs: number;
  readonly chroot: Chroot;
}

/** The answer to `create`. */
export class CreateReply extends Reply {
  /** The node's path, with the digits of a sequential one. */
  readonly path: string;
  /** Undefined from servers before 3.5. */
  readonly stat: Stat | undefined;
  constructor(zxid: Zxid, path: string, stat: Stat | undefined) {
    super(zxid);
    this.path = path;
    this.stat = stat;
  }
}

export function createArgs(
  path: string,
  data: Uint8Array | null,
  options: CreateOptions | undefined,
  chroot: Chroot,
): CreateArgs {
  const { mode = "persistent", acl = openAcl, ttlMs = 0 } = options ?? {};
  return { path: chroot.add(path), data, acl, mode, ttlMs, chroot };
}

/** Whether a node of this mode ends with its session. */
export function isEphemeral(mode: CreateMode): boolean {
  return mode === "ephemeral" || mode === "ephemeralSequential";
}

export function writeCreate(writer: JuteWriter, args: CreateArgs): void {
  writer.string(args.path);
  writer.buffer(args.data);
  writer.vector(args.acl, writeAcl);
  writer.int(createFlags[args.mode]);
}

export function writeCreateTtl(writer: JuteWriter, args: CreateArgs): void {
  writeCreate(writer, args);
  writer.long(BigInt(args.ttlMs));
}

/** The created path without the chroot. */
export function readCreatedPath(reader: JuteReader, chroot: Chroot): string {
  const path = reader.string();
  return chroot.strip(path) ?? path;
}

const readCreated = (reader: JuteReader, zxid: Zxid, args: CreateArgs): CreateReply =>
  new CreateReply(zxid, readCreatedPath(reader, args.chroot), reader.remaining > 0 ? new Stat(reader) : undefined);

/** Before 3.5 there was only this, which answers without a Stat. */
const plainCreate: Operation<CreateArgs, CreateReply> = {
  name: "create",
  opcode: Opcode.create,
  since: 3.4,
  isWrite: true,
  write: writeCreate,
  read: readCreated,
  detach: detachData,
  needsSession: (args) => isEphemeral(args.mode),
};

const create2: Operation<CreateArgs, CreateReply> = {
  ...plainCreate,
  opcode: Opcode.create2,
  since: 3.5,
  fallback: plainCreate,
};

const createContainer: Operation<CreateArgs, CreateReply> = {
  ...plainCreate,
  opcode: Opcode.createContainer,
  since: 3.5,
};

const createTtl: Operation<CreateArgs, CreateReply> = {
  ...plainCreate,
  opcode: Opcode.createTtl,
  since: 3.5,
  write: writeCreateTtl,
};

/** The operation that makes nodes of a mode. */
export function createOperation(mode: CreateMode): Operation<CreateArgs, CreateReply> {
  if (mode === "container") return createContainer;
  return mode === "ttl" || mode === "ttlSequential" ? createTtl : create2;
}
