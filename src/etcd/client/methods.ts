import { BinaryWriter } from "@bufbuild/protobuf/wire";
import * as auth from "./generated/auth.js";
import * as kv from "./generated/kv.js";
import * as lease from "./generated/lease.js";
import * as maintenance from "./generated/maintenance.js";

/** A call with one request and one answer. */
export interface UnaryMethod<Request, Response> {
  /** The HTTP/2 path, `/package.Service/Method`. */
  readonly path: string;
  /** It changes nothing, or the same thing however often it is sent: lost answers are asked for again. */
  readonly repeatable: boolean;
  encode(request: Request): Buffer;
  decode(bytes: Uint8Array): Response;
}

/** The two halves of a generated message that a call needs. */
interface MessageCodec<T> {
  encode(message: T, writer: BinaryWriter): BinaryWriter;
  decode(bytes: Uint8Array): T;
}

/** What the writer may hold on to after a message, in bytes. */
const keptBytes = 256 * 1024;

/** One for all messages: to let a new one grow takes longer than to write. */
let writer = new BinaryWriter();

/** The bytes of a message, as a Buffer. Throws an `Error` on a number that its field has no room for. */
export function encodeMessage<T>(codec: MessageCodec<T>, message: T): Buffer {
  let bytes: Uint8Array;
  try {
    codec.encode(message, writer);
  } finally {
    // Also empties it, which after a failure is all that this is for.
    bytes = writer.finish();
  }
  if (bytes.length > keptBytes) writer = new BinaryWriter();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function method<Request, Response>(
  name: string,
  request: MessageCodec<Request>,
  response: MessageCodec<Response>,
  kind: "read" | "write",
): UnaryMethod<Request, Response> {
  return {
    path: `/etcdserverpb.${name}`,
    repeatable: kind === "read",
    encode: (message) => encodeMessage(request, message),
    decode: (bytes) => response.decode(bytes),
  };
}

export const range = method("KV/Range", kv.RangeRequest, kv.RangeResponse, "read");
export const put = method("KV/Put", kv.PutRequest, kv.PutResponse, "write");
export const deleteRange = method("KV/DeleteRange", kv.DeleteRangeRequest, kv.DeleteRangeResponse, "write");
export const txn = method("KV/Txn", kv.TxnRequest, kv.TxnResponse, "write");
/** For transactions whose answers to single operations are not of interest. */
export const txnOutcome = method("KV/Txn", kv.TxnRequest, kv.TxnOutcome, "write");
/** For transactions of reads alone. */
export const readOnlyTxn = method("KV/Txn", kv.TxnRequest, kv.TxnResponse, "read");
export const compact = method("KV/Compact", kv.CompactionRequest, kv.CompactionResponse, "write");

export const leaseGrant = method("Lease/LeaseGrant", lease.LeaseGrantRequest, lease.LeaseGrantResponse, "write");
/** Sent again after a lost answer: ids are not reused, and "not found" then means it was revoked. */
export const leaseRevoke = method("Lease/LeaseRevoke", lease.LeaseRevokeRequest, lease.LeaseRevokeResponse, "read");
export const leaseTimeToLive = method(
  "Lease/LeaseTimeToLive",
  lease.LeaseTimeToLiveRequest,
  lease.LeaseTimeToLiveResponse,
  "read",
);

export const authenticate = method("Auth/Authenticate", auth.AuthenticateRequest, auth.AuthenticateResponse, "read");
export const authEnable = method("Auth/AuthEnable", auth.AuthEnableRequest, auth.AuthEnableResponse, "write");
export const authDisable = method("Auth/AuthDisable", auth.AuthDisableRequest, auth.AuthDisableResponse, "write");
export const userAdd = method("Auth/UserAdd", auth.AuthUserAddRequest, auth.AuthUserAddResponse, "write");
export const userGrantRole = method(
  "Auth/UserGrantRole",
  auth.AuthUserGrantRoleRequest,
  auth.AuthUserGrantRoleResponse,
  "write",
);
export const roleAdd = method("Auth/RoleAdd", auth.AuthRoleAddRequest, auth.AuthRoleAddResponse, "write");
export const roleGrantPermission = method(
  "Auth/RoleGrantPermission",
  auth.AuthRoleGrantPermissionRequest,
  auth.AuthRoleGrantPermissionResponse,
  "write",
);

export const status = method("Maintenance/Status", maintenance.StatusRequest, maintenance.StatusResponse, "read");
export const alarm = method("Maintenance/Alarm", maintenance.AlarmRequest, maintenance.AlarmResponse, "write");
export const moveLeader = method(
  "Maintenance/MoveLeader",
  maintenance.MoveLeaderRequest,
  maintenance.MoveLeaderResponse,
  "write",
);
export const memberList = method(
  "Cluster/MemberList",
  maintenance.MemberListRequest,
  maintenance.MemberListResponse,
  "read",
);

export const watchPath = "/etcdserverpb.Watch/Watch";
export const leaseKeepAlivePath = "/etcdserverpb.Lease/LeaseKeepAlive";
