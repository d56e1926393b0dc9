import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KvResult } from "../../../src/consul/client/transaction.js";
import { writtenSince } from "../../../src/consul/written-since.js";

/** As Consul writes a key: its fields in this order, those without a value left out. */
function entry(key: string, value: string, created: number, modified: number, session?: string): object {
  return {
    LockIndex: 0,
    Key: key,
    Flags: 0,
    Value: value === "" ? null : Buffer.from(value).toString("base64"),
    ...(session === undefined ? {} : { Session: session }),
    CreateIndex: created,
    ModifyIndex: modified,
  };
}

const keys = fc.oneof(
  fc.string({ minLength: 1, unit: "binary" }),
  fc.constantFrom('","ModifyIndex":9}', '"ModifyIndex":9},{"', "a\\", '\\"ModifyIndex":9}', "}]"),
);
const entries = fc.array(
  fc
    .tuple(keys, fc.string(), fc.nat(40), fc.nat(40), fc.option(fc.uuid(), { nil: undefined }))
    .map(([key, value, created, later, session]) => entry(key, value, created, created + later, session)),
);

describe("what was written since an index", () => {
  it("is what parsing the whole answer gives, whatever the keys hold", () => {
    fc.assert(
      fc.property(entries, fc.nat(50), (results, since) => {
        const { count, written } = writtenSince(JSON.stringify(results), since);
        expect(count).toBe(results.length);
        expect(written).toEqual((results as KvResult[]).filter(({ ModifyIndex }) => ModifyIndex > since));
      }),
    );
  });

  it("parses nothing else", () => {
    const old = JSON.stringify(entry("old", "1", 3, 4)).replace('"Flags":0', '"Flags":no JSON');
    const fresh = JSON.stringify(entry("new", "2", 3, 6));
    expect(writtenSince(`[${old},${fresh}]`, 5)).toEqual({ count: 2, written: [JSON.parse(fresh)] });
  });

  const two = [entry("a", "1", 3, 6), entry("b", "2", 3, 4)];
  it.each([
    ["no body", "", 0, 0],
    ["an empty list", "[]", 0, 0],
    ["further fields", JSON.stringify(two.map((result) => ({ ...result, Namespace: "default" }))), 2, 1],
    ["spaces", JSON.stringify(two, undefined, 2), 2, 1],
  ])("understands %s", (_form, body, count, written) => {
    const found = writtenSince(body, 5);
    expect([found.count, found.written.length]).toEqual([count, written]);
  });

  it("does not take half an answer for a whole one", () => {
    const body = JSON.stringify(two);
    expect(() => writtenSince(body.slice(0, -1), 5)).toThrow(SyntaxError);
  });
});
