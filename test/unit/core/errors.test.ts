import { describe, expect, it } from "vitest";
import { isStoreError, outcomeOfCode, StoreError, storeErrorCodes } from "../../../src/core/errors.js";

describe("a StoreError", () => {
  it("says code, reason, key, backend, endpoint and doubt in its message", () => {
    const error = new StoreError("TIMEOUT", "the put was not answered in time", {
      key: 'a/"b"',
      backend: "etcd",
      endpoint: "h1:2379,h2:2379",
      outcome: "unknown",
    });
    expect(error.message).toBe(
      'TIMEOUT: the put was not answered in time (key "a/\\"b\\"", etcd at h1:2379,h2:2379, it may have been applied)',
    );
    expect(error.name).toBe("StoreError");
  });

  it("without a place is code and reason alone", () => {
    expect(new StoreError("BUSY", "too many").message).toBe("BUSY: too many");
    expect(new StoreError("BUSY", "too many", { outcome: "not-applied" }).message).toBe("BUSY: too many");
    expect(new StoreError("BUSY", "too many", { backend: "bolt" }).message).toBe("BUSY: too many (bolt)");
  });

  it("with() adds what was not said, and changes nothing that was", () => {
    const cause = new Error("why");
    const error = new StoreError("CLOSED", "over", { key: "a", outcome: "not-applied" });
    const more = error.with({ key: "b", backend: "bolt", outcome: "unknown", cause });
    expect(more).toMatchObject({ key: "a", backend: "bolt", outcome: "not-applied", cause, code: "CLOSED" });
    expect(more.message).toBe('CLOSED: over (key "a", bolt)');
    expect(error.backend).toBeUndefined();
  });

  it("in JSON has what a log line needs", () => {
    const error = new StoreError("BACKEND", "no", { key: "a", cause: new Error("secret value") });
    expect(JSON.parse(JSON.stringify(error))).toEqual({ name: "StoreError", code: "BACKEND", reason: "no", key: "a" });
  });

  it("is told from others by its class and code", () => {
    const error = new StoreError("BUSY", "too many");
    expect(isStoreError(error)).toBe(true);
    expect(isStoreError(error, "BUSY")).toBe(true);
    expect(isStoreError(error, "CLOSED")).toBe(false);
    expect(isStoreError({ name: "StoreError", code: "BUSY" }, "BUSY")).toBe(false);
  });
});

it("codes that can come after the write happened are never taken for a proof that it did not", () => {
  const inDoubt = storeErrorCodes.filter((code) => outcomeOfCode(code, "unknown") === "unknown");
  expect(inDoubt).toEqual(["UNREACHABLE", "TIMEOUT", "ABORTED", "LOCK_LOST", "CORRUPT", "CLOSED", "BACKEND"]);
});
