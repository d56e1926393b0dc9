import { type ErrorContext, ZooKeeperError } from "./errors.js";

/** What each class below fixes: its number on the wire and the sentence used when the caller gives none. */
interface CodedClass {
  new (message?: string, context?: ErrorContext): CodedError;
  readonly code: number;
  readonly explanation: string;
}

/** The errors that have a code in the protocol (`KeeperException.Code`, ZooKeeper 3.9). */
export abstract class CodedError extends ZooKeeperError {
  constructor(message?: string, context?: ErrorContext) {
    const { code, explanation } = new.target as unknown as CodedClass;
    super(code, message ?? explanation, context);
  }
}

export class SystemError extends CodedError {
  static readonly code = -1;
  static readonly explanation = "the server failed inside; see its log";
  override readonly name = "SystemError";
}
export class RuntimeInconsistencyError extends CodedError {
  static readonly code = -2;
  static readonly explanation = "not carried out because another operation of the same multi failed";
  override readonly name = "RuntimeInconsistencyError";
}
export class DataInconsistencyError extends CodedError {
  static readonly code = -3;
  static readonly explanation = "the server's data is inconsistent";
  override readonly name = "DataInconsistencyError";
}
/** The connection ended before the answer came. `outcome` says whether a write may have been carried out. */
export class ConnectionLossError extends CodedError {
  static readonly code = -4;
  static readonly explanation = "the connection to the server was lost";
  override readonly name = "ConnectionLossError";
}
/** A frame could not be read: the peer does not speak ZooKeeper's protocol, or the bytes were damaged. */
export class MarshallingError extends CodedError {
  static readonly code = -5;
  static readonly explanation = "malformed: it could not be read";
  override readonly name = "MarshallingError";
}
export class UnimplementedError extends CodedError {
  static readonly code = -6;
  static readonly explanation = "the server does not have this operation";
  override readonly name = "UnimplementedError";
}
/** The request's deadline passed. `outcome` says whether a write may have been carried out. */
export class OperationTimeoutError extends CodedError {
  static readonly code = -7;
  static readonly explanation = "no answer within the deadline";
  override readonly name = "OperationTimeoutError";
  /** Whether the request had left this process; it had not if there was no connection for as long. */
  readonly sent: boolean;
  constructor(message?: string, context?: ErrorContext & { readonly sent?: boolean }) {
    super(message, context);
    this.sent = context?.sent ?? true;
  }
}
/** Arguments that the server, or this client before sending, refused. */
export class BadArgumentsError extends CodedError {
  static readonly code = -8;
  static readonly explanation = "the server refused the arguments";
  override readonly name = "BadArgumentsError";
}
export class UnknownSessionError extends CodedError {
  static readonly code = -12;
  static readonly explanation = "the server does not know the session";
  override readonly name = "UnknownSessionError";
}
export class NewConfigNoQuorumError extends CodedError {
  static readonly code = -13;
  static readonly explanation = "no quorum of the new configuration is connected";
  override readonly name = "NewConfigNoQuorumError";
}
export class ReconfigInProgressError extends CodedError {
  static readonly code = -14;
  static readonly explanation = "another reconfiguration is in progress";
  override readonly name = "ReconfigInProgressError";
}
export class ApiError extends CodedError {
  static readonly code = -100;
  static readonly explanation = "the server reports an error of its interface";
  override readonly name = "ApiError";
}
export class NoNodeError extends CodedError {
  static readonly code = -101;
  static readonly explanation = "no such node";
  override readonly name = "NoNodeError";
}
export class NoAuthError extends CodedError {
  static readonly code = -102;
  static readonly explanation = "the node's ACL does not allow it";
  override readonly name = "NoAuthError";
}
export class BadVersionError extends CodedError {
  static readonly code = -103;
  static readonly explanation = "the node has another version";
  override readonly name = "BadVersionError";
}
export class NoChildrenForEphemeralsError extends CodedError {
  static readonly code = -108;
  static readonly explanation = "the parent is ephemeral and cannot have children";
  override readonly name = "NoChildrenForEphemeralsError";
}
export class NodeExistsError extends CodedError {
  static readonly code = -110;
  static readonly explanation = "the node exists already";
  override readonly name = "NodeExistsError";
}
export class NotEmptyError extends CodedError {
  static readonly code = -111;
  static readonly explanation = "the node has children";
  override readonly name = "NotEmptyError";
}
export class SessionExpiredError extends CodedError {
  static readonly code = -112;
  static readonly explanation = "the session has expired";
  override readonly name = "SessionExpiredError";
}
export class InvalidCallbackError extends CodedError {
  static readonly code = -113;
  static readonly explanation = "invalid callback";
  override readonly name = "InvalidCallbackError";
}
export class InvalidAclError extends CodedError {
  static readonly code = -114;
  static readonly explanation = "the ACL is empty or names an unknown scheme";
  override readonly name = "InvalidAclError";
}
export class AuthFailedError extends CodedError {
  static readonly code = -115;
  static readonly explanation = "the server refused the authentication";
  override readonly name = "AuthFailedError";
}
export class SessionMovedError extends CodedError {
  static readonly code = -118;
  static readonly explanation = "the session has moved to another server, so this one refused the request";
  override readonly name = "SessionMovedError";
}
export class NotReadOnlyError extends CodedError {
  static readonly code = -119;
  static readonly explanation = "a write was sent to a read-only server";
  override readonly name = "NotReadOnlyError";
}
export class EphemeralOnLocalSessionError extends CodedError {
  static readonly code = -120;
  static readonly explanation = "a local session cannot own ephemeral nodes";
  override readonly name = "EphemeralOnLocalSessionError";
}
export class NoWatcherError extends CodedError {
  static readonly code = -121;
  static readonly explanation = "there is no such watch";
  override readonly name = "NoWatcherError";
}
export class RequestTimeoutError extends CodedError {
  static readonly code = -122;
  static readonly explanation = "the server gave up waiting";
  override readonly name = "RequestTimeoutError";
}
export class ReconfigDisabledError extends CodedError {
  static readonly code = -123;
  static readonly explanation = "reconfiguration is disabled";
  override readonly name = "ReconfigDisabledError";
}
export class SessionClosedRequireSaslAuthError extends CodedError {
  static readonly code = -124;
  static readonly explanation = "the server requires SASL authentication and closed the session";
  override readonly name = "SessionClosedRequireSaslAuthError";
}
export class QuotaExceededError extends CodedError {
  static readonly code = -125;
  static readonly explanation = "a quota is exceeded";
  override readonly name = "QuotaExceededError";
}
export class ThrottledOpError extends CodedError {
  static readonly code = -127;
  static readonly explanation = "the server is overloaded and dropped the request";
  override readonly name = "ThrottledOpError";
}

const classes: readonly CodedClass[] = [
  SystemError,
  RuntimeInconsistencyError,
  DataInconsistencyError,
  ConnectionLossError,
  MarshallingError,
  UnimplementedError,
  OperationTimeoutError,
  BadArgumentsError,
  UnknownSessionError,
  NewConfigNoQuorumError,
  ReconfigInProgressError,
  ApiError,
  NoNodeError,
  NoAuthError,
  BadVersionError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NotEmptyError,
  SessionExpiredError,
  InvalidCallbackError,
  InvalidAclError,
  AuthFailedError,
  SessionMovedError,
  NotReadOnlyError,
  EphemeralOnLocalSessionError,
  NoWatcherError,
  RequestTimeoutError,
  ReconfigDisabledError,
  SessionClosedRequireSaslAuthError,
  QuotaExceededError,
  ThrottledOpError,
];
const byCode = new Map(classes.map((type) => [type.code, type]));

/** The error of the class that belongs to a code from the wire; a plain `ZooKeeperError` for codes unknown here. */
export function errorFromCode(code: number, context?: ErrorContext): ZooKeeperError {
  const type = byCode.get(code);
  return type === undefined
    ? new ZooKeeperError(code, `the server answered with error ${code}`, context)
    : new type(undefined, context);
}
