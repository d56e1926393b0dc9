import { describe, expect, it } from "vitest";
import * as client from "../../../src/zookeeper/client/index.js";
import { errorFromCode, ZooKeeperError } from "../../../src/zookeeper/client/index.js";

const exported = Object.entries(client) as [string, unknown][];

describe("errors by wire code", () => {
  it.each([
    [-4, "ConnectionLossError"],
    [-101, "NoNodeError"],
    [-103, "BadVersionError"],
    [-110, "NodeExistsError"],
    [-112, "SessionExpiredError"],
    [-127, "ThrottledOpError"],
  ] as const)("%i is %s", (code, name) => {
    const error = errorFromCode(code, { operation: "setData", path: "/a" });
    expect(error).toBeInstanceOf(new Map(exported).get(name));
    expect(error).toBeInstanceOf(ZooKeeperError);
    expect(error).toMatchObject({ name, code, operation: "setData", path: "/a", outcome: "not-applied" });
    expect(error.message).toMatch(/^setData \/a: ./);
  });

  it("gives each class its own code and its own name", () => {
    const codes = new Set<number>();
    for (const [name, type] of exported) {
      if (typeof type !== "function" || !("explanation" in type)) continue;
      const error = errorFromCode((type as unknown as { code: number }).code);
      expect(error.constructor).toBe(type);
      expect(error.name).toBe(name);
      codes.add(error.code);
    }
    expect(codes.size).toBe(31);
  });

  it("does not fail over codes it does not know", () => {
    expect(errorFromCode(-999, { operation: "sync", path: "/" })).toMatchObject({ code: -999, name: "ZooKeeperError" });
  });
});
