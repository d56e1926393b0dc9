import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/core/errors.js";
import {
  ConnectionLossError,
  MultiError,
  NoAuthError,
  OperationTimeoutError,
  SystemError,
} from "../../../src/zookeeper/client/index.js";
import { beforeWriting, halfDone, isPassing, storeError } from "../../../src/zookeeper/errors.js";
import { contenderNumber } from "../../../src/zookeeper/lock-layout.js";
import { mzxidOf, versionOf } from "../../../src/zookeeper/nodes.js";
import { RecentKeys } from "../../../src/zookeeper/recent-keys.js";

describe("revisions", () => {
  it("hold a transaction and a version", () => {
    const mzxid = 0x7f_0000_0001n;
    const revision = (mzxid << 32n) | 41n;
    expect(mzxidOf(revision)).toBe(mzxid);
    expect(versionOf(revision)).toBe(41);
  });
});

describe("errors of a ZooKeeper store", () => {
  it("say what the client said, with the outcome of writes only", () => {
    const lost = new ConnectionLossError(undefined, { outcome: "unknown" });
    expect(storeError(lost, "h:1", true)).toMatchObject({ code: "UNREACHABLE", outcome: "unknown", endpoint: "h:1" });
    expect(storeError(lost, "h:1", false).outcome).toBeUndefined();
    const refused = new MultiError(1, new NoAuthError());
    expect(storeError(refused, "h:1", true)).toMatchObject({ code: "PERMISSION_DENIED", outcome: "not-applied" });
    expect(storeError(new SystemError(), "h:1", true).code).toBe("BACKEND");
    expect(storeError(new TypeError("odd"), "h:1", true)).toMatchObject({ code: "BACKEND", outcome: "unknown" });
  });

  it("tell a server that was slow from one that was not reached", () => {
    expect(storeError(new OperationTimeoutError(), "h:1", false).code).toBe("TIMEOUT");
    expect(storeError(new OperationTimeoutError("none", { sent: false }), "h:1", false).code).toBe("UNREACHABLE");
  });

  it("do not pass for a call that did nothing when it did a part", () => {
    const before = beforeWriting(new ConnectionLossError(undefined, { outcome: "unknown" }), "h:1");
    expect(before).toMatchObject({ code: "UNREACHABLE", outcome: "not-applied" });
    expect(halfDone(before, "h:1", "after 3 keys")).toMatchObject({ code: "UNREACHABLE", outcome: "unknown" });
    expect(halfDone(before, "h:1", "after 3 keys").message).toContain("after 3 keys");
  });

  it("know what may pass", () => {
    expect(isPassing(new ConnectionLossError())).toBe(true);
    expect(isPassing(new StoreError("TIMEOUT", "slow"))).toBe(true);
    expect(isPassing(new NoAuthError())).toBe(false);
    expect(isPassing(new Error("other"))).toBe(false);
  });
});

describe("contenders' names", () => {
  it("are numbered at the end, in go-zookeeper's way and in kazoo's", () => {
    expect(contenderNumber("_c_0123456789abcdef0123456789abcdef-lock-0000000012")).toBe(12);
    expect(contenderNumber("0123456789abcdef0123456789abcdef__lock__0000000009")).toBe(9);
    expect(contenderNumber("a-key")).toBeUndefined();
  });
});

describe("recent keys", () => {
  it("are bounded, the oldest forgotten first", () => {
    const recent = new RecentKeys();
    for (let at = 0; at < 30_000; at++) recent.add(`k${at}`);
    expect(recent.has("k0")).toBe(false);
    expect(recent.has("k29999")).toBe(true);
    recent.delete("k29999");
    expect(recent.has("k29999")).toBe(false);
    expect(Array.from({ length: 30_000 }, (_, at) => recent.has(`k${at}`)).filter(Boolean)).toHaveLength(19_999);
  });
});
