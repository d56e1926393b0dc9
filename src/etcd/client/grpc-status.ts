import type { IncomingHttpHeaders } from "node:http2";
import { GrpcStatus } from "./status-codes.js";

/** How a call ended, in the terms of gRPC. */
export interface CallStatus {
  readonly code: number;
  /** Text of the server, `""` where it gave none. */
  readonly details: string;
}

/** The one status of calls that went well. */
export const okStatus: CallStatus = { code: GrpcStatus.OK, details: "" };

/**
 * The status in the trailers of an answer, which may be its headers where nothing else came; `undefined` when there is
 * none. Source: grpc/doc/PROTOCOL-HTTP2.md, "Responses".
 */
export function statusIn(trailers: IncomingHttpHeaders): CallStatus | undefined {
  const code = trailers["grpc-status"];
  if (typeof code !== "string") return undefined;
  if (code === "0") return okStatus;
  const details = trailers["grpc-message"];
  return { code: Number(code), details: typeof details === "string" ? percentDecoded(details) : "" };
}

/** What an HTTP status means that came without one of gRPC. Source: grpc/doc/http-grpc-status-mapping.md. */
export function statusOfHttp(httpStatus: number): CallStatus {
  return { code: byHttpStatus[httpStatus] ?? GrpcStatus.UNKNOWN, details: `Received HTTP status code ${httpStatus}` };
}

const byHttpStatus: Readonly<Record<number, number>> = {
  400: GrpcStatus.INTERNAL,
  401: GrpcStatus.UNAUTHENTICATED,
  403: GrpcStatus.PERMISSION_DENIED,
  404: GrpcStatus.UNIMPLEMENTED,
  429: GrpcStatus.UNAVAILABLE,
  502: GrpcStatus.UNAVAILABLE,
  503: GrpcStatus.UNAVAILABLE,
  504: GrpcStatus.UNAVAILABLE,
};

/** Text that is wrongly encoded is shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
