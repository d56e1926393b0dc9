import { describe, expect, it } from "vitest";
import { errorFromStatus, isPassing, unreachableError } from "../../../src/etcd/client/errors.js";
import { GrpcStatus as status, statusName } from "../../../src/etcd/client/status-codes.js";

/** Texts as etcd 3.4 and 3.5 and grpc-js 1.14 write them; those that a test can provoke are also met on real servers. */
describe("what a failed call came to", () => {
  it.each([
    [status.UNAVAILABLE, "etcdserver: no leader", "no-leader", "not-applied"],
    [status.UNAVAILABLE, "etcdserver: leader changed", "unavailable", "unknown"],
    [status.UNAVAILABLE, "etcdserver: request timed out", "timeout", "unknown"],
    [
      status.UNAVAILABLE,
      "etcdserver: request timed out, possibly due to previous leader failure",
      "timeout",
      "unknown",
    ],
    [status.UNAVAILABLE, "etcdserver: server stopped", "unavailable", "unknown"],
    [status.RESOURCE_EXHAUSTED, "etcdserver: too many requests", "overloaded", "not-applied"],
    [status.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded", "no-space", "not-applied"],
    [status.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs 4)", "too-large", "unknown"],
    [status.RESOURCE_EXHAUSTED, "grpc: received message larger than max (5 vs. 4)", "too-large", "not-applied"],
    [status.RESOURCE_EXHAUSTED, "grpc: trying to send message larger than max (5 vs. 4)", "other", "unknown"],
    [status.RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded", "other", "unknown"],
    [status.UNAUTHENTICATED, "etcdserver: invalid auth token", "unauthenticated", "not-applied"],
    [status.INVALID_ARGUMENT, "etcdserver: user name is empty", "unauthenticated", "not-applied"],
    [status.INVALID_ARGUMENT, "etcdserver: revision of auth store is old", "unauthenticated", "not-applied"],
    [status.PERMISSION_DENIED, "etcdserver: permission denied", "permission-denied", "not-applied"],
    [status.NOT_FOUND, "etcdserver: requested lease not found", "lease-not-found", "not-applied"],
    [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted", "compacted", "not-applied"],
    [status.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision", "invalid", "not-applied"],
    [status.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request", "invalid", "not-applied"],
    [status.UNIMPLEMENTED, "unknown service etcdserverpb.KV", "unimplemented", "not-applied"],
    [status.UNKNOWN, "raft proposal dropped", "unavailable", "not-applied"],
    [status.UNKNOWN, "context deadline exceeded", "timeout", "unknown"],
    [status.UNKNOWN, "something new", "other", "unknown"],
    [status.INTERNAL, "Received RST_STREAM with code 2 (Internal server error)", "other", "unknown"],
    [status.INTERNAL, "Failed to start HTTP/2 stream with error x", "unreachable", "not-applied"],
    [status.UNAVAILABLE, "No connection established. Last error: connect ECONNREFUSED", "unreachable", "not-applied"],
    [status.UNAVAILABLE, "Name resolution failed for target dns:nowhere:2379", "unreachable", "not-applied"],
    [status.UNAVAILABLE, "Stream refused by server", "unreachable", "not-applied"],
    [status.UNAVAILABLE, "Connection dropped", "disconnected", "unknown"],
    [status.UNAVAILABLE, "read ECONNRESET", "disconnected", "unknown"],
    [status.CANCELLED, "Call cancelled", "disconnected", "unknown"],
    [status.DEADLINE_EXCEEDED, "Deadline exceeded after 5s", "timeout", "unknown"],
  ] as const)("%i %s", (code, text, reason, outcome) => {
    expect(errorFromStatus(code, text, "h:1")).toMatchObject({
      name: "EtcdError",
      status: statusName(code),
      etcdMessage: text,
      endpoint: "h:1",
      message: `etcd at h:1: ${text}`,
      reason,
      outcome,
    });
  });

  it("tells what may pass from what will not", () => {
    expect(isPassing(errorFromStatus(status.UNAVAILABLE, "etcdserver: no leader", "h"))).toBe(true);
    expect(isPassing(errorFromStatus(status.PERMISSION_DENIED, "etcdserver: permission denied", "h"))).toBe(false);
  });

  it("names every endpoint tried, and the last reason", () => {
    const cause = errorFromStatus(status.UNAVAILABLE, "No connection established. Last error: no route", "b:2");
    const error = unreachableError("a:1, b:2", cause);
    expect(error.message).toBe(
      "etcd at a:1, b:2: no connection in time: No connection established. Last error: no route",
    );
    expect(error).toMatchObject({ reason: "unreachable", outcome: "not-applied", cause });
  });
});
