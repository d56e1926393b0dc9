import { describe, expect, it } from "vitest";
import { answerError, hasCode, transportError } from "../../../src/etcd2/client/errors.js";
import { storeError } from "../../../src/etcd2/errors.js";

/** Bodies as etcd 3.3 writes them; those that a test can provoke are also met on real servers. */
const body = (errorCode: number, message: string, cause = "") =>
  JSON.stringify({ errorCode, message, cause, index: 7 });

describe("what an answer other than success came to", () => {
  it.each([
    [404, body(100, "Key not found", "/k"), "BACKEND", "not-applied"],
    [500, body(300, "Raft Internal Error", "etcdserver: request timed out"), "UNREACHABLE", "unknown"],
    [500, body(301, "During Leader Election"), "UNREACHABLE", "not-applied"],
    [400, body(401, "The event in requested index is outdated and cleared"), "BACKEND", "not-applied"],
    [401, body(110, "The request requires user authentication", "Insufficient credentials"), "PERMISSION_DENIED"],
    [400, body(107, "Root is read only", "/"), "BACKEND", "not-applied"],
    // A server without the API, and what may stand before one.
    [404, "404 page not found\n", "NOT_SUPPORTED", "not-applied"],
    [502, "<html>Bad Gateway</html>", "UNREACHABLE", "unknown"],
    [503, "", "UNREACHABLE", "unknown"],
    [413, "too much", "BACKEND", "not-applied"],
    [500, '{"message":"not etcd\'s"}', "UNREACHABLE", "unknown"],
  ])("%i %s", (status, text, code, outcome = "not-applied") => {
    const error = answerError(status, text, "h:1", false);
    expect(storeError(error, true)).toMatchObject({ code, outcome, backend: "etcd2", endpoint: "h:1" });
    expect(storeError(error, false).outcome).toBeUndefined();
  });

  it("who named no user is asked for one", () => {
    const denied = body(110, "The request requires user authentication", "Insufficient credentials");
    expect(storeError(answerError(401, denied, "h:1", true), true).code).toBe("UNAUTHENTICATED");
    expect(storeError(answerError(401, denied, "h:1", false), true).message).toContain("the password is wrong");
  });

  it("keeps the code, the path and the index", () => {
    const error = answerError(412, body(105, "Key already exists", "/a/k"), "h:1", false);
    expect(error).toMatchObject({ errorCode: 105, index: 7, message: expect.stringContaining("(/a/k)") });
    expect(hasCode(error, "keyExists", "notFile")).toBe(true);
    expect(hasCode(error, "compareFailed")).toBe(false);
    expect(hasCode(new Error("105"), "keyExists")).toBe(false);
  });
});

describe("what was thrown below HTTP", () => {
  const thrown = (code: string) => Object.assign(new Error(`it was ${code}`), { code });

  it("before anything was sent", () => {
    for (const code of ["ECONNREFUSED", "UND_ERR_CONNECT_TIMEOUT", "ENOTFOUND", "CERT_HAS_EXPIRED"]) {
      expect(transportError(thrown(code), "h:1")).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
    }
    // Node tries each address of a name, and tells of all.
    const all = new AggregateError([thrown("ECONNREFUSED"), thrown("EHOSTUNREACH")], "");
    expect(transportError(all, "h:1")).toMatchObject({ reason: "unreachable", outcome: "not-applied" });
  });

  it("and afterwards, or who knows", () => {
    for (const error of [thrown("ECONNRESET"), thrown("UND_ERR_SOCKET"), new Error("?"), "text"]) {
      expect(transportError(error, "h:1")).toMatchObject({ reason: "disconnected", outcome: "unknown" });
    }
  });
});
