import { describe, expect, it } from "vitest";
import { KeyValue, RangeResponse, TxnRequest } from "../../../src/etcd/client/generated/kv.js";
import {
  compareModRevision,
  prefixEnd,
  putOp,
  rangeOp,
  rangeRequest,
  txnOp,
} from "../../../src/etcd/client/messages.js";
import { encodeMessage, range } from "../../../src/etcd/client/methods.js";

describe("prefixEnd", () => {
  it.each([
    [[0x61], [0x62]],
    [[0x61, 0xff], [0x62]],
    [
      [0x61, 0x00],
      [0x61, 0x01],
    ],
    [[0xff, 0xff], [0x00]],
    [[], [0x00]],
  ])("of %j is %j", (prefix, end) => {
    const given = Uint8Array.from(prefix);
    expect([...prefixEnd(given)]).toEqual(end);
    expect([...given]).toEqual(prefix);
  });
});

describe("messages on the wire", () => {
  it("are the bytes that the protocol defines", () => {
    // Field 1 (key) "k", field 2 (range_end) "l", field 3 (limit) 300, field 7 (serializable) true.
    const fields = { key: Uint8Array.of(0x6b), rangeEnd: Uint8Array.of(0x6c), limit: 300n, serializable: true };
    const request = range.encode(rangeRequest(fields));
    expect(request.toString("hex")).toBe("0a016b12016c18ac023801");
    expect(request).toBeInstanceOf(Buffer);
  });

  it("are not mixed up with one that could not be written", () => {
    const tooLarge = { key: Uint8Array.of(0x6b), limit: 2n ** 63n };
    expect(() => range.encode(rangeRequest(tooLarge))).toThrow("too large");
    expect(range.encode(rangeRequest({ key: Uint8Array.of(0x6c) })).toString("hex")).toBe("0a016c");
    const large = new Uint8Array(1_000_000).fill(7);
    expect(range.encode(rangeRequest({ key: large }))).toHaveLength(1_000_004);
    expect(range.encode(rangeRequest({ key: Uint8Array.of(0x6d) })).toString("hex")).toBe("0a016d");
  });

  it("keep 64 bits", () => {
    const largest = 2n ** 63n - 1n;
    const pair = {
      key: new Uint8Array(0),
      value: new Uint8Array(0),
      createRevision: largest,
      modRevision: 2n ** 53n + 1n,
    };
    const decoded = KeyValue.decode(encodeMessage(KeyValue, { ...pair, version: 1n, lease: -1n }));
    expect(decoded).toMatchObject({ createRevision: largest, modRevision: 2n ** 53n + 1n, version: 1n, lease: -1n });
  });

  it("nest transactions", () => {
    const key = Uint8Array.of(1);
    const inner = { compare: [compareModRevision(key, 5n)], success: [putOp({ key })], failure: [rangeOp({ key })] };
    const outer: TxnRequest = { compare: [], success: [txnOp(inner)], failure: [] };
    const decoded = TxnRequest.decode(new Uint8Array(encodeMessage(TxnRequest, outer)));
    expect(decoded).toEqual(outer);
  });

  it("may have fields that are not known here", () => {
    // Field 4 (count) 1, then field 200, a string.
    const bytes = Uint8Array.from([0x20, 0x01, 0xc2, 0x0c, 0x02, 0x68, 0x69]);
    expect(RangeResponse.decode(bytes)).toEqual({ header: undefined, kvs: [], more: false, count: 1n });
  });
});
