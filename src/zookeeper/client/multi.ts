import type { JuteReader, JuteWriter } from "./codec.js";
import {
  type CreateArgs,
  type CreateOptions,
  createArgs,
  createOperation,
  isEphemeral,
  readCreatedPath,
  writeCreate,
  writeCreateTtl,
} from "./create.js";
import { errorFromCode, MarshallingError, RuntimeInconsistencyError } from "./error-codes.js";
import { MultiError } from "./errors.js";
import {
  DataReply,
  type DeleteArgs,
  detachData,
  type Operation,
  readString,
  type SetDataArgs,
  writePathAndVersion,
  writeSetData,
} from "./operations.js";
import { type Chroot, checkPath } from "./paths.js";
import { Opcode } from "./records.js";
import { Reply, Stat, type Zxid } from "./stat.js";

/** One operation of a `multi`; a version of -1, the default but for `check`, matches any. */
export type MultiOperation =
  | ({ readonly type: "create"; readonly path: string; readonly data?: Uint8Array | null | undefined } & CreateOptions)
  | { readonly type: "delete"; readonly path: string; readonly version?: number | undefined }
  | {
      readonly type: "setData";
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version?: number | undefined;
    }
  | { readonly type: "check"; readonly path: string; readonly version: number };

/** What one operation of a successful `multi` brought. Servers send no Stat for a create in a multi. */
export type MultiResult =
  | { readonly type: "create"; readonly path: string; readonly stat: Stat | undefined }
  | { readonly type: "delete" }
  | { readonly type: "setData"; readonly stat: Stat }
  | { readonly type: "check" };

/** The answer to `multi`: one result for each operation, in their order. */
export class MultiReply extends Reply {
  readonly results: MultiResult[];
  constructor(zxid: Zxid, results: MultiResult[]) {
    super(zxid);
    this.results = results;
  }
}

type PreparedOperation =
  | { readonly type: "create"; readonly args: CreateArgs }
  | { readonly type: "delete" | "check"; readonly args: DeleteArgs }
  | { readonly type: "setData"; readonly args: SetDataArgs };

interface MultiArgs {
  readonly operations: readonly PreparedOperation[];
  readonly chroot: Chroot;
}

/** Arguments ready to be written; throws a `BadArgumentsError` on a bad path. */
export function multiArgs(operations: readonly MultiOperation[], chroot: Chroot): MultiArgs {
  return { chroot, operations: operations.map((operation) => prepare(operation, chroot)) };
}

function prepare(operation: MultiOperation, chroot: Chroot): PreparedOperation {
  checkPath(operation.path, "multi");
  const path = chroot.add(operation.path);
  switch (operation.type) {
    case "create":
      return { type: "create", args: createArgs(operation.path, operation.data ?? null, operation, chroot) };
    case "setData":
      return { type: "setData", args: { path, data: operation.data, version: operation.version ?? -1 } };
    default:
      return { type: operation.type, args: { path, version: operation.version ?? -1 } };
  }
}

/** Each operation of a multi, and each result, is headed by its opcode, whether it is the end, and an error code. */
function writeMultiHeader(writer: JuteWriter, opcode: number, done: boolean): void {
  writer.int(opcode);
  writer.bool(done);
  writer.int(-1);
}

function writeOperation(writer: JuteWriter, operation: PreparedOperation): void {
  switch (operation.type) {
    case "create": {
      // create2 brings nothing in a multi and is unknown before 3.5; containers and TTL nodes have opcodes of their own.
      const { opcode } = createOperation(operation.args.mode);
      writeMultiHeader(writer, opcode === Opcode.create2 ? Opcode.create : opcode, false);
      return opcode === Opcode.createTtl ? writeCreateTtl(writer, operation.args) : writeCreate(writer, operation.args);
    }
    case "setData":
      writeMultiHeader(writer, Opcode.setData, false);
      return writeSetData(writer, operation.args);
    case "delete":
    case "check":
      writeMultiHeader(writer, Opcode[operation.type], false);
      return writePathAndVersion(writer, operation.args);
  }
}

/** The opcode of the next result, or undefined at the end. */
function readMultiHeader(reader: JuteReader): number | undefined {
  const opcode = reader.int();
  const done = reader.bool();
  reader.int(); // an error code, repeated in the body of an error result
  return done ? undefined : opcode;
}

function readResult(reader: JuteReader, opcode: number, chroot: Chroot): MultiResult {
  switch (opcode) {
    case Opcode.create:
      return { type: "create", path: readCreatedPath(reader, chroot), stat: undefined };
    case Opcode.create2:
    case Opcode.createContainer:
    case Opcode.createTtl:
      return { type: "create", path: readCreatedPath(reader, chroot), stat: new Stat(reader) };
    case Opcode.setData:
      return { type: "setData", stat: new Stat(reader) };
    case Opcode.delete:
      return { type: "delete" };
    case Opcode.check:
      return { type: "check" };
    default:
      throw new MarshallingError(`a multi result of operation ${opcode}`);
  }
}

/** The operation to blame among the codes of a failed multi: the one whose error is its own. */
function multiError(codes: readonly number[], args: MultiArgs): MultiError {
  const own = codes.findIndex((code) => code !== 0 && code !== RuntimeInconsistencyError.code);
  const index = own >= 0 ? own : codes.findIndex((code) => code !== 0);
  const operation = args.operations[index];
  const path = operation === undefined ? undefined : (args.chroot.strip(operation.args.path) ?? operation.args.path);
  return new MultiError(index, errorFromCode(codes[index] ?? -1, { operation: operation?.type, path }));
}

export const multiOperation: Operation<MultiArgs, MultiReply> = {
  name: "multi",
  opcode: Opcode.multi,
  since: 3.4,
  isWrite: true,
  write(writer, args) {
    for (const operation of args.operations) writeOperation(writer, operation);
    writeMultiHeader(writer, -1, true);
  },
  read(reader, zxid, args) {
    const results: MultiResult[] = [];
    const codes: number[] = [];
    let failed = false;
    for (let opcode = readMultiHeader(reader); opcode !== undefined; opcode = readMultiHeader(reader)) {
      if (opcode === Opcode.error) {
        failed = true;
        codes.push(reader.int());
      } else {
        results.push(readResult(reader, opcode, args.chroot));
      }
    }
    return failed ? multiError(codes, args) : new MultiReply(zxid, results);
  },
  sinceFor: (args) => (args.operations.some(isContainerOrTtl) ? 3.5 : 3.4),
  detach: (args) => ({ ...args, operations: args.operations.map(detachOperation) }),
  needsSession: (args) => args.operations.some((op) => op.type === "create" && isEphemeral(op.args.mode)),
};

/** Operations that a server before 3.5 cannot even read. */
function isContainerOrTtl(operation: PreparedOperation): boolean {
  return operation.type === "create" && createOperation(operation.args.mode).fallback === undefined;
}

function detachOperation(operation: PreparedOperation): PreparedOperation {
  if (operation.type === "create") return { ...operation, args: detachData(operation.args) };
  if (operation.type === "setData") return { ...operation, args: detachData(operation.args) };
  return operation;
}

/** One read of a `multiRead`. Servers refuse `exists` there. */
export interface MultiReadOperation {
  readonly type: "getData" | "getChildren";
  readonly path: string;
}

/** The children of a node, in no particular order; servers send no Stat with them here. */
export interface MultiReadChildren {
  readonly children: string[];
}

/** A read that failed, by its wire code (-101: no such node); no `Error`, because making those is slow. */
export class ReadFailure {
  readonly code: number;
  constructor(code: number) {
    this.code = code;
  }
}

/** What one read brought. */
export type MultiReadResult = DataReply | MultiReadChildren | ReadFailure;

interface MultiReadArgs {
  readonly operations: readonly MultiReadOperation[];
  readonly chroot: Chroot;
}

function readReadResult(reader: JuteReader, opcode: number, zxid: Zxid): MultiReadResult {
  if (opcode === Opcode.getData) return new DataReply(zxid, reader);
  if (opcode === Opcode.getChildren) return { children: reader.vector(readString) };
  if (opcode === Opcode.error) return new ReadFailure(reader.int());
  throw new MarshallingError(`a multi-read result of operation ${opcode}`);
}

export const multiReadOperation: Operation<MultiReadArgs, MultiReadResult[]> = {
  name: "multiRead",
  opcode: Opcode.multiRead,
  since: 3.6,
  isWrite: false,
  write(writer, args) {
    for (const operation of args.operations) {
      writeMultiHeader(writer, Opcode[operation.type], false);
      writer.string(args.chroot.add(operation.path));
      writer.bool(false); // no watch
    }
    writeMultiHeader(writer, -1, true);
  },
  read(reader, zxid) {
    const results: MultiReadResult[] = [];
    for (let opcode = readMultiHeader(reader); opcode !== undefined; opcode = readMultiHeader(reader)) {
      results.push(readReadResult(reader, opcode, zxid));
    }
    return results;
  },
};
